"""Inputs from outside: downloaded data sets, the template, the weights of HD-BET 2.

1. unpack_archives      a data set that came as tar or zip
2. fetch_template       unless the user has it; needs internet
3. check_template       that it is the brain that the config describes
4. fetch_hdbet_weights  from their address, or from the user's own copy

A change of code fetches nothing again, since a node may have no internet.
"""


localrules:
    unpack_archives,
    fetch_template,
    check_template,
    fetch_hdbet_weights,


rule unpack_archives:
    """Unpack the archives of a data set into one folder."""
    input:
        raw=made_by_rules(datasets.downloaded_archives),
    output:
        folder=directory("resources/unpacked/{dataset}"),
    log:
        "logs/unpack_archives/{dataset}.log",
    benchmark:
        "benchmarks/unpack_archives/{dataset}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(240),
    params:
        **compared(
            code=code_of("unpack_archives"),
            raw_files=state_of_others(datasets.downloaded_archives),
            root=datasets.of_dataset("root"),
            archives=datasets.of_dataset("archives"),
            password=datasets.of_dataset("password"),
        ),
    script:
        "../../scripts/unpack_archives.py"


rule fetch_template:
    """Fetch the template that every scan is registered to."""
    output:
        template=FETCHED_TEMPLATE,
    log:
        "logs/fetch_template/template.log",
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(1000),
        runtime=scaled_by_attempt(15),
    params:
        **compared(
            address=config["template"]["archive"]["address"],
            member=config["template"]["archive"]["member"],
            sha256=config["template"]["archive"]["sha256"],
        ),
    script:
        "../../scripts/fetch_template.py"


rule check_template:
    """Check the template, and write it in the orientation of the later stages."""
    input:
        image=made_by_rules(scans.template_image),
    output:
        template="results/template/brain.nii.gz",
        facts="results/template/facts.tsv",
    log:
        "logs/check_template/template.log",
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(10),
    params:
        **compared(
            code=code_of("check_template"),
            image=scans.template_image,
            image_file=state_of_others(scans.template_image),
            spacing=config["preprocessing"]["spacing"],
            sha256=config["template"]["sha256"],
            source=scans.template_source(),
        ),
    script:
        "../../scripts/check_template.py"


rule fetch_hdbet_weights:
    """Fetch the weights of HD-BET 2, and keep only their tensors."""
    output:
        weights=directory("resources/hdbet"),
    log:
        "logs/fetch_hdbet_weights/weights.log",
    conda:
        "../../envs/hdbet2.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(4000),
        runtime=scaled_by_attempt(30),
    params:
        **compared(
            local=config["hdbet"]["weights"]["local"],
            local_files=state_of_others(scans.hdbet_weights),
            address=config["hdbet"]["weights"]["address"],
            sha256=config["hdbet"]["weights"]["sha256"],
        ),
    script:
        "../../scripts/fetch_hdbet_weights.py"
