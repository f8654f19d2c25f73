"""Experiments beside the main table."""


rule score_changed_contrast:
    """Score a method on scans whose intensities x were changed to x^gamma."""
    input:
        slices=slices_of_dataset,
        split="results/splits/{dataset}/fold{fold}.tsv",
        weights=weights_of_method,
        code=contrast_code,
    output:
        scores="results/contrast/{method}/fold{fold}/{dataset}.tsv",
    log:
        "logs/score_changed_contrast/{method}/fold{fold}/{dataset}.log",
    benchmark:
        "benchmarks/score_changed_contrast/{method}/fold{fold}/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(LESION),
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=growing(8000),
        runtime=growing(240),
        gpu=gpus,
    params:
        timesteps=timesteps_of_method,
        gamma=config["experiments"]["contrast"]["gamma"],
        postprocessing=config["evaluation"]["postprocessing"],
        modality=method_modality,
        seed=config["seed"],
        device=device,
    script:
        "../../scripts/score_changed_contrast.py"
