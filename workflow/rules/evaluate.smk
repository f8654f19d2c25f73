"""From weights to numbers.

1. reconstruct                the healthy brain that a method paints for each scan
2. fit_threshold              on the validation subjects
3. score_segmentation         the test subjects of a data set with lesions
   score_reconstruction       the test subjects of a healthy data set
   score_perceptual_distance  the same by a network, where its weights are given
4. export_anomaly_maps        as NIfTI
"""


rule reconstruct:
    """Reconstruct the validation and test subjects of a data set."""
    input:
        slices="results/slices/{dataset}_{modality}.npz",
        split="results/splits/{dataset}/fold{fold}.tsv",
        weights=weights_of_method,
        code=code_of_method("reconstruct"),
    output:
        reconstructions="results/reconstructions/{method}/{modality}/fold{fold}/{dataset}.npz",
    log:
        "logs/reconstruct/{method}/{modality}/fold{fold}/{dataset}.log",
    benchmark:
        "benchmarks/reconstruct/{method}/{modality}/fold{fold}/{dataset}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=growing(8000),
        runtime=growing(240),
        gpu=gpus,
    params:
        partitions=evaluated_partitions,
        timesteps=timesteps_of_method,
        seed=config["seed"],
        device=device,
    script:
        "../../scripts/reconstruct.py"


rule fit_threshold:
    """Find the threshold of best Dice on the pooled voxels of the validation subjects."""
    input:
        slices=slices_of_dataset,
        split="results/splits/{dataset}/fold{fold}.tsv",
        reconstructions=reconstructions_of_dataset,
        code=library_of("fit_threshold"),
    output:
        threshold="results/thresholds/{method}/fold{fold}/{dataset}.json",
    log:
        "logs/fit_threshold/{method}/fold{fold}/{dataset}.log",
    benchmark:
        "benchmarks/fit_threshold/{method}/fold{fold}/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(LESION),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        postprocessing=config["evaluation"]["postprocessing"],
    script:
        "../../scripts/fit_threshold.py"


rule score_segmentation:
    """Score the thresholded anomaly maps of the test subjects against their lesion masks."""
    input:
        slices=slices_of_dataset,
        split="results/splits/{dataset}/fold{fold}.tsv",
        reconstructions=reconstructions_of_dataset,
        threshold="results/thresholds/{method}/fold{fold}/{dataset}.json",
        code=library_of("score_segmentation"),
    output:
        scores="results/scores/{method}/fold{fold}/{dataset}.tsv",
    log:
        "logs/score_segmentation/{method}/fold{fold}/{dataset}.log",
    benchmark:
        "benchmarks/score_segmentation/{method}/fold{fold}/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(LESION),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        postprocessing=config["evaluation"]["postprocessing"],
        modality=method_modality,
    script:
        "../../scripts/score_segmentation.py"


rule score_reconstruction:
    """Score how well healthy test subjects are painted, in each modality."""
    input:
        slices=slices_of_healthy_dataset,
        split="results/splits/{dataset}/fold{fold}.tsv",
        reconstructions=reconstructions_of_healthy_dataset,
        code=library_of("score_reconstruction"),
    output:
        scores="results/scores/{method}/fold{fold}/{dataset}.tsv",
    log:
        "logs/score_reconstruction/{method}/fold{fold}/{dataset}.log",
    benchmark:
        "benchmarks/score_reconstruction/{method}/fold{fold}/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(HEALTHY),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        modalities=of_dataset("modalities"),
    script:
        "../../scripts/score_reconstruction.py"


rule score_perceptual_distance:
    """Measure how unlike its scan a reconstruction looks to a network (LPIPS)."""
    input:
        slices=slices_of_healthy_dataset,
        split="results/splits/{dataset}/fold{fold}.tsv",
        reconstructions=reconstructions_of_healthy_dataset,
        code=library_of("score_perceptual_distance"),
    output:
        scores="results/perceptual/{method}/fold{fold}/{dataset}.tsv",
    log:
        "logs/score_perceptual_distance/{method}/fold{fold}/{dataset}.log",
    benchmark:
        "benchmarks/score_perceptual_distance/{method}/fold{fold}/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(HEALTHY),
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=growing(8000),
        runtime=growing(480),
        gpu=gpus,
    params:
        modalities=of_dataset("modalities"),
        device=device,
        network=perceptual_weights,
        network_file=state_of_others(perceptual_weights),
        sha256=perceptual_sha256,
    script:
        "../../scripts/score_perceptual_distance.py"


rule export_anomaly_maps:
    """Write the anomaly maps of the test subjects as NIfTI."""
    input:
        slices=slices_of_dataset,
        split=f"results/splits/{{dataset}}/fold{FOLDS[0]}.tsv",
        reconstructions=mapped_reconstructions,
        code=library_of("export_anomaly_maps"),
    output:
        maps=directory("results/report/maps/{dataset}"),
    log:
        "logs/export_anomaly_maps/{dataset}.log",
    benchmark:
        "benchmarks/export_anomaly_maps/{dataset}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        postprocessing=config["evaluation"]["postprocessing"],
    script:
        "../../scripts/export_anomaly_maps.py"
