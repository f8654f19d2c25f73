"""From weights to anomaly maps.

1. reconstruct          the healthy brain that a model makes of each scan
2. map_anomalies        what differs, by the score of a method; post-processed
3. export_anomaly_maps  as NIfTI
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
            seed=study.seed,
            precision=models.precision,
        ),
    script:
        "../../scripts/reconstruct.py"


rule map_anomalies:
    """Score every voxel of the validation and test subjects, and post-process the maps."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        reconstructions=results.reconstructions,
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
            partitions=results.partitions,
            postprocessing=config["evaluation"]["postprocessing"],
        ),
    script:
        "../../scripts/map_anomalies.py"


rule export_anomaly_maps:
    """Write the anomaly maps of the test subjects as NIfTI."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        anomaly_maps=results.mapped,
    output:
        maps=directory("results/report/maps/{cohort}"),
    log:
        "logs/export_anomaly_maps/{cohort}.log",
    benchmark:
        "benchmarks/export_anomaly_maps/{cohort}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(60),
    params:
        **compared(
            code=code_of("export_anomaly_maps"),
        ),
    script:
        "../../scripts/export_anomaly_maps.py"
