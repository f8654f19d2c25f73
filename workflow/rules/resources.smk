"""What comes from outside: data sets as downloaded, the atlas, the weights of HD-BET.

1. unpack_archives      a data set that came as tar or zip
2. fetch_atlas          where it is not there; needs internet
3. check_atlas          that it is the brain the config describes
4. fetch_hdbet_weights  from their address, or from the user's own copy

What was fetched stays when the library changes: a node may have no internet to fetch it again.
"""


localrules:
    unpack_archives,
    fetch_atlas,
    check_atlas,
    fetch_hdbet_weights,


rule unpack_archives:
    """Unpack the archives of a data set into one folder."""
    input:
        raw=made_by_rules(downloaded_archives),
        code=library_of("unpack_archives"),
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
        mem_mb=growing(2000),
        runtime=growing(240),
    params:
        raw_files=state_of_others(downloaded_archives),
        root=of_dataset("root"),
        archives=of_dataset("archives"),
        password=of_dataset("password"),
    script:
        "../../scripts/unpack_archives.py"


rule fetch_atlas:
    """Fetch the atlas that every scan is registered to."""
    output:
        atlas=FETCHED_ATLAS,
    log:
        "logs/fetch_atlas/atlas.log",
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(15),
    params:
        address=config["atlas"]["archive"]["address"],
        member=config["atlas"]["archive"]["member"],
        sha256=config["atlas"]["archive"]["sha256"],
    script:
        "../../scripts/fetch_atlas.py"


rule check_atlas:
    """Check the atlas, and write it in the orientation of the stages that follow."""
    input:
        image=made_by_rules(atlas_image),
        code=library_of("check_atlas"),
    output:
        atlas="results/atlas/brain.nii.gz",
        facts="results/atlas/facts.tsv",
    log:
        "logs/check_atlas/atlas.log",
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        image=atlas_image,
        image_file=state_of_others(atlas_image),
        spacing=config["preprocessing"]["spacing"],
        sha256=config["atlas"]["sha256"],
        source=atlas_source(),
    script:
        "../../scripts/check_atlas.py"


rule fetch_hdbet_weights:
    """Bring the weights of HD-BET, and read them as numbers alone."""
    output:
        weights=directory("resources/hdbet"),
    log:
        "logs/fetch_hdbet_weights/weights.log",
    conda:
        "../../envs/hdbet.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        local=config["hdbet"]["weights"]["local"],
        local_files=state_of_others(hdbet_weights),
        address=config["hdbet"]["weights"]["address"],
        sha256=config["hdbet"]["weights"]["sha256"],
    script:
        "../../scripts/fetch_hdbet_weights.py"
