"""Runs that apply a bundle: what they take from it instead of training."""


localrules:
    take_bundle,


rule take_bundle:
    """Check every file of the bundle by its checksum, and copy those that jobs read."""
    output:
        files=bundles.taken(),
    log:
        "logs/take_bundle/bundle.log",
    # First, since every other job would be wasted on a damaged bundle.
    priority: 100
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(1000),
        runtime=scaled_by_attempt(10),
    params:
        **compared(
            code=code_of("take_bundle"),
            bundle=bundles.folder,
            bundle_files=state_of_others(bundles.folder),
        ),
    script:
        "../../scripts/take_bundle.py"
