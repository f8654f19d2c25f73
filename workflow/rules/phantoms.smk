"""Phantoms: raw files in the layouts of the five data sets, for runs without patients' data.

1. make_template   the head, brain and brain mask that scans are registered to
2. make_phantoms   the raw files of one data set
"""


rule make_template:
    """Write the anatomical template at the phantoms' resolution."""
    output:
        head="resources/phantoms/template/head.nii.gz",
        brain="resources/phantoms/template/brain.nii.gz",
        brain_mask="resources/phantoms/template/brain_mask.nii.gz",
    log:
        "logs/make_template/template.log",
    conda:
        "../../envs/phantoms.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(10),
    params:
        **compared(
            code=code_of("make_template"),
            spacing=config["preprocessing"]["spacing"],
        ),
    script:
        "../../scripts/make_template.py"


rule make_phantoms:
    """Write the raw files of one data set, with exact lesion masks."""
    output:
        root=directory("resources/phantoms/{dataset}"),
    log:
        "logs/make_phantoms/{dataset}.log",
    benchmark:
        "benchmarks/make_phantoms/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(config["phantoms"]),
    conda:
        "../../envs/phantoms.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(30),
    params:
        **compared(
            code=code_of("make_phantoms"),
            dataset=of_path("dataset"),
            settings=lookup("phantoms/{dataset}", within=config),
            seed=config["seed"],
        ),
    script:
        "../../scripts/make_phantoms.py"
