"""A bundle in place of trainings: what a run takes from it."""


localrules:
    take_bundle,


rule take_bundle:
    """Check every file of the bundle by its checksum, and copy those that jobs read."""
    output:
        files=bundles.taken(),
    log:
        "logs/take_bundle/bundle.log",
    # Nothing is worth doing with a bundle that is damaged.
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
