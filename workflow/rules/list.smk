"""Subjects and their scans.

1. list_subjects     find the scans of a data set, and which of them can be used
2. leave_out_copies  leave out scans that another data set has too
"""


localrules:
    leave_out_copies,


rule list_subjects:
    """Find the scans of a data set in its raw layout, and check each."""
    input:
        raw=made_by_rules(datasets.listed_root),
    output:
        subjects="results/listed/{dataset}.tsv",
        remarks="results/subjects/remarks/{dataset}.tsv",
    log:
        "logs/list_subjects/{dataset}.log",
    benchmark:
        "benchmarks/list_subjects/{dataset}.tsv"
    # Before other jobs, since the remaining jobs are known only after it. One thread, since a job
    # with two would wait until two long trainings end at the same time.
    priority: 50
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(120),
    params:
        **compared(
            code=code_of("list_subjects", code.layout_of_dataset),
            raw_files=datasets.raw_files,
            root=datasets.listed_folder,
            downloads=datasets.of_dataset("root"),
            layout=datasets.of_dataset("layout"),
            modalities=datasets.of_dataset("modalities"),
            lesions=datasets.has_lesion_masks,
            lesion_labels=datasets.of_dataset("lesion_labels"),
            ignored_labels=datasets.of_dataset("ignored_labels"),
            exclude=datasets.of_dataset("exclude"),
            files=datasets.of_dataset("files"),
            table=datasets.of_dataset("table"),
            part=datasets.of_dataset("part"),
            demographics=datasets.of_dataset("demographics"),
            on_broken=config["on_broken_scan"],
        ),
    script:
        "../../scripts/list_subjects.py"


checkpoint leave_out_copies:
    """Leave out the subjects whose scan an earlier data set has too."""
    input:
        listed=datasets.listed_table,
        earlier=datasets.tables_before,
    output:
        subjects="results/subjects/{dataset}.tsv",
    log:
        "logs/leave_out_copies/{dataset}.log",
    priority: 50
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(1000),
        runtime=scaled_by_attempt(5),
    params:
        **compared(
            code=code_of("leave_out_copies"),
            healthy=study.healthy,
        ),
    script:
        "../../scripts/leave_out_copies.py"
