"""Who is trained on, who sets thresholds, who is tested: split by subject."""


rule split_folds:
    """Draw one fold of a data set."""
    input:
        subjects="results/subjects/{dataset}.tsv",
        code=library_of("split_folds"),
    output:
        split="results/splits/{dataset}/fold{fold}.tsv",
    log:
        "logs/split_folds/{dataset}/fold{fold}.log",
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        healthy=of_dataset("healthy"),
        validation=of_dataset("validation"),
        test=of_dataset("test"),
        stratify=of_dataset("stratify"),
        seed=config["seed"],
    script:
        "../../scripts/split_folds.py"
