"""Training, validation (which sets thresholds) and test: split by subject, not by scan."""


localrules:
    split_folds,


rule split_folds:
    """Draw one fold of a data set, or take it from the released lists."""
    input:
        subjects="results/subjects/{dataset}.tsv",
    output:
        split="results/splits/{dataset}/fold{fold}.tsv",
        problems="results/splits/{dataset}/fold{fold}_problems.tsv",
    log:
        "logs/split_folds/{dataset}/fold{fold}.log",
    # Right after the listing: numbers of subjects that a data set does not have are found before
    # its scans are preprocessed.
    priority: 50
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(1000),
        runtime=scaled_by_attempt(5),
    params:
        **compared(
            code=code_of("split_folds"),
            healthy=datasets.of_dataset("healthy"),
            lesion_masks=datasets.has_lesion_masks,
            validation=datasets.of_dataset("validation"),
            test=datasets.of_dataset("test"),
            stratify=datasets.of_dataset("stratify"),
            splits=datasets.released_lists,
            lists=datasets.split_lists,
            list_files=state_of_others(datasets.split_lists),
            seed=config["seed"],
        ),
    script:
        "../../scripts/split_folds.py"
