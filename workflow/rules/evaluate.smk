"""From anomaly maps to numbers.

1. summarize_healthy_residuals  the distribution of healthy anomaly maps, and its thresholds, which
                                need no lesions
2. score_segmentation           fit a threshold on the validation subjects, or take a bundle's,
                                and score the test subjects by voxels and by lesions
   score_reconstruction         the test subjects of a healthy cohort
   score_perceptual_distance    the same by a network, where its weights are given
3. score_thresholds             each test patient at the thresholds of all cohorts
   score_false_positives        healthy test subjects at these thresholds
"""


rule summarize_healthy_residuals:
    """Summarise the anomaly maps of healthy subjects, and find the thresholds of their voxels."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        anomaly_maps="results/anomaly_maps/{method}/fold{fold}/{cohort}.npz",
    output:
        residuals="results/healthy_residuals/{method}/fold{fold}/{cohort}.npz",
        threshold="results/healthy_residuals/{method}/fold{fold}/{cohort}.json",
    log:
        "logs/summarize_healthy_residuals/{method}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/summarize_healthy_residuals/{method}/fold{fold}/{cohort}.tsv"
    wildcard_constraints:
        cohort=one_of(study.healthy_cohorts),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(60),
    params:
        **compared(
            code=code_of("summarize_healthy_residuals"),
        ),
    script:
        "../../scripts/summarize_healthy_residuals.py"


rule score_segmentation:
    """Fit the threshold of best Dice on validation subjects, and score test subjects at it."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        anomaly_maps="results/anomaly_maps/{method}/fold{fold}/{cohort}.npz",
        threshold=results.given_threshold,
        healthy_threshold=results.healthy_threshold,
    output:
        **results.fitted_threshold(),
        scores="results/scores/{method}/fold{fold}/{cohort}.tsv",
        lesions="results/lesions/{method}/fold{fold}/{cohort}.tsv",
        froc="results/froc/{method}/fold{fold}/{cohort}.tsv",
    log:
        "logs/score_segmentation/{method}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/score_segmentation/{method}/fold{fold}/{cohort}.tsv"
    wildcard_constraints:
        cohort=one_of(study.lesion_cohorts),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(120),
    params:
        **compared(
            code=code_of("score_segmentation"),
            modality=scans.modality,
            postprocessing=config["evaluation"]["postprocessing"],
        ),
    script:
        "../../scripts/score_segmentation.py"


rule score_reconstruction:
    """Score how well healthy test subjects are reconstructed."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        reconstructions=results.needed_reconstructions,
        anomaly_maps="results/anomaly_maps/{method}/fold{fold}/{cohort}.npz",
    output:
        scores="results/scores/{method}/fold{fold}/{cohort}.tsv",
    log:
        "logs/score_reconstruction/{method}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/score_reconstruction/{method}/fold{fold}/{cohort}.tsv"
    wildcard_constraints:
        cohort=one_of(study.healthy_cohorts),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(120),
    params:
        **compared(
            code=code_of("score_reconstruction"),
            modality=scans.modality,
        ),
    script:
        "../../scripts/score_reconstruction.py"


rule score_perceptual_distance:
    """Measure the distance between a scan and its reconstruction by a network (LPIPS)."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        reconstructions=results.needed_reconstructions,
    output:
        scores="results/perceptual/{method}/fold{fold}/{cohort}.tsv",
    log:
        "logs/score_perceptual_distance/{method}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/score_perceptual_distance/{method}/fold{fold}/{cohort}.tsv"
    wildcard_constraints:
        cohort=one_of(study.healthy_cohorts),
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=scaled_by_attempt(8000),
        runtime=scaled_by_attempt(480),
        gpu=models.gpus,
    params:
        **compared(
            code=code_of("score_perceptual_distance"),
            modality=scans.modality,
            network=results.perceptual_weights,
            network_file=state_of_others(results.perceptual_weights),
            sha256=results.perceptual_sha256,
            precision=models.precision,
        ),
    script:
        "../../scripts/score_perceptual_distance.py"


rule score_thresholds:
    """Score the test patients at the thresholds of all cohorts of their modality."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        anomaly_maps="results/anomaly_maps/{method}/fold{fold}/{cohort}.npz",
        thresholds=results.thresholds_of_modality,
        healthy_threshold=results.healthy_threshold,
    output:
        scores="results/threshold_scores/{method}/fold{fold}/{cohort}.tsv",
    log:
        "logs/score_thresholds/{method}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/score_thresholds/{method}/fold{fold}/{cohort}.tsv"
    wildcard_constraints:
        cohort=one_of(study.lesion_cohorts),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(120),
    params:
        **compared(
            code=code_of("score_thresholds"),
            fitted_on=results.fitted_on,
            modality=scans.modality,
            postprocessing=config["evaluation"]["postprocessing"],
        ),
    script:
        "../../scripts/score_thresholds.py"


rule score_false_positives:
    """Measure false positives: what is called anomalous in healthy brains."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        anomaly_maps="results/anomaly_maps/{method}/fold{fold}/{cohort}.npz",
        thresholds=results.thresholds_of_modality,
        healthy_threshold=results.healthy_threshold,
    output:
        scores="results/threshold_scores/{method}/fold{fold}/{cohort}.tsv",
        shares="results/healthy_shares/{method}/fold{fold}/{cohort}.json",
    log:
        "logs/score_false_positives/{method}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/score_false_positives/{method}/fold{fold}/{cohort}.tsv"
    wildcard_constraints:
        cohort=one_of(study.healthy_cohorts),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(120),
    params:
        **compared(
            code=code_of("score_false_positives"),
            fitted_on=results.fitted_on,
            modality=scans.modality,
            postprocessing=config["evaluation"]["postprocessing"],
        ),
    script:
        "../../scripts/score_false_positives.py"
