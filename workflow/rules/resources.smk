"""What the workflow fetches where the config gives an address: jobs for a node with internet."""


localrules:
    fetch_atlas,


rule fetch_atlas:
    """Fetch the atlas that every scan is registered to."""
    output:
        atlas=config["atlas"]["image"],
    log:
        "logs/fetch_atlas/atlas.log",
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        address=config["atlas"]["archive"]["address"],
        member=config["atlas"]["archive"]["member"],
        sha256=config["atlas"]["archive"]["sha256"],
    script:
        "../../scripts/fetch_atlas.py"
