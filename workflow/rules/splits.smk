"""Who is trained on, who sets thresholds, who is tested: split by subject."""


localrules:
    split_folds,


rule split_folds:
    """Draw one fold of a data set, or take it from the released lists."""
    input:
        subjects="results/subjects/{dataset}.tsv",
        code=library_of("split_folds"),
    output:
        split="results/splits/{dataset}/fold{fold}.tsv",
        findings="results/splits/{dataset}/fold{fold}_findings.tsv",
    log:
        "logs/split_folds/{dataset}/fold{fold}.log",
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        healthy=of_dataset("healthy"),
        lesion_masks=has_lesion_masks,
        validation=of_dataset("validation"),
        test=of_dataset("test"),
        stratify=of_dataset("stratify"),
        splits=released_lists,
        lists=split_lists,
        list_files=state_of_others(split_lists),
        seed=config["seed"],
    script:
        "../../scripts/split_folds.py"
