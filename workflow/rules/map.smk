"""From weights to anomaly maps.

1. reconstruct          reconstruct each scan as a healthy brain
2. pool_healthy_scores  pool the healthy scores with which a normative score compares
3. map_anomalies        compute the anomaly map by the score of a method, and post-process it
4. write_derivatives    write the findings in the space of each scan, as BIDS
"""


rule reconstruct:
    """Reconstruct the validation and test subjects of a cohort."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        weights=models.weights,
    output:
        reconstructions=intermediate(
            "results/reconstructions/{model}/{asked}/fold{fold}/{cohort}.npz"
        ),
    log:
        "logs/reconstruct/{model}/{asked}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/reconstruct/{model}/{asked}/fold{fold}/{cohort}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=scaled_by_attempt(8000),
        runtime=scaled_by_attempt(240),
        gpu=models.gpus,
    params:
        **compared(
            code=code_of("reconstruct", code.model),
            partitions=results.partitions,
            timesteps=models.timesteps,
            samples=models.samples,
            seed=study.seed,
            precision=models.precision,
        ),
    script:
        "../../scripts/reconstruct.py"


# The output is kept: write_derivatives reads it again when a name changes or a data set is
# requested later, and making it again would rerun all its readers.
use rule reconstruct as reconstruct_for_derivatives with:
    output:
        reconstructions="results/reconstructions/{model}/{asked}/fold{fold}/{cohort}.npz",
    wildcard_constraints:
        **results.wildcards_of_derived(),


ruleorder: reconstruct_for_derivatives > reconstruct


rule pool_healthy_scores:
    """Pool the scores of healthy validation scans, which a normative score compares with."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        reconstructions=results.reconstructions,
    output:
        reference="results/healthy_scores/{method}/fold{fold}/{cohort}.npz",
    log:
        "logs/pool_healthy_scores/{method}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/pool_healthy_scores/{method}/fold{fold}/{cohort}.tsv"
    wildcard_constraints:
        method=one_of(study.normative_methods),
        cohort=one_of(study.healthy_cohorts),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(60),
    params:
        **compared(
            code=code_of("pool_healthy_scores", code.score),
            score=results.score,
        ),
    script:
        "../../scripts/pool_healthy_scores.py"


rule map_anomalies:
    """Score every voxel of the validation and test subjects, and post-process the maps."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        reconstructions=results.reconstructions,
        reference=results.reference,
    output:
        anomaly_maps="results/anomaly_maps/{method}/fold{fold}/{cohort}.npz",
    log:
        "logs/map_anomalies/{method}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/map_anomalies/{method}/fold{fold}/{cohort}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(120),
    params:
        **compared(
            code=code_of("map_anomalies", code.score),
            score=results.score,
            holds_reference=results.holds_reference,
            partitions=results.partitions,
            postprocessing=config["evaluation"]["postprocessing"],
        ),
    script:
        "../../scripts/map_anomalies.py"


rule write_derivatives:
    """Write the findings in each scan as BIDS derivatives, on the grid of its raw file."""
    input:
        raw=made_by_rules(scans.raw_scans),
        subjects=ancient(scans.subjects_of_cohort),
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        anomaly_maps=results.mapped,
        reconstructions=results.reconstructions_of_maps,
        threshold=results.threshold_of_maps,
        healthy_residuals=results.healthy_residuals_of_derived,
        brain_masks=scans.kept_of_raw("brain_masks"),
        transforms=scans.kept_of_raw("transforms"),
        template=scans.template_of_raw,
    output:
        derivatives=directory("results/derivatives/{cohort}"),
    log:
        "logs/write_derivatives/{cohort}.log",
    benchmark:
        "benchmarks/write_derivatives/{cohort}.tsv"
    wildcard_constraints:
        cohort=one_of(study.derived_cohorts),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(4000),
        runtime=scaled_by_attempt(240),
    params:
        **compared(
            code=code_of("write_derivatives"),
            raw_files=state_of_others(scans.raw_scans),
            name=register.label_of_cohort,
            modality=scans.modality,
            source=scans.source_folder,
            method=study.maps_method.name,
            method_label=study.maps_method.label,
            score=results.score_of_maps(),
            template_source=scans.template_source(),
            postprocessing=config["evaluation"]["postprocessing"],
        ),
    script:
        "../../scripts/write_derivatives.py"
