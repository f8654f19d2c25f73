"""Bundles: trained models to keep and share."""


rule make_bundle:
    """Write a method's weights, settings, thresholds, healthy residuals and scores to a folder."""
    input:
        unpack(bundles.inputs),
    output:
        bundle=directory("results/bundles/{method}_{modality}"),
    log:
        "logs/make_bundle/{method}_{modality}.log",
    benchmark:
        "benchmarks/make_bundle/{method}_{modality}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(4000),
        runtime=scaled_by_attempt(15),
    params:
        **compared(
            code=code_of("make_bundle"),
            settings=bundles.settings,
            facts=bundles.facts,
        ),
    script:
        "../../scripts/make_bundle.py"
