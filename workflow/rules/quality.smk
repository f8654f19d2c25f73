"""Quality control of the preprocessing, for people to look at.

1. inspect_scans       measures and a picture of every scan of a chunk
2. write_quality_page  one page per cohort, outliers first
"""


rule inspect_scans:
    """Measure and draw the scans of a chunk."""
    input:
        unpack(scans.inspected),
        scans=made_by_rules(scans.chunk_files),
        subjects=ancient(scans.subjects_of_cohort),
    output:
        folder=directory("results/quality/{cohort}/chunk{chunk}"),
    log:
        "logs/inspect_scans/{cohort}/chunk{chunk}.log",
    benchmark:
        "benchmarks/inspect_scans/{cohort}/chunk{chunk}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(30),
    params:
        **compared(
            code=code_of("inspect_scans", code.layout),
            raw_files=state_of_others(scans.chunk_files),
            modality=scans.modality,
            layout=scans.of_cohort("layout"),
            spacing=config["preprocessing"]["spacing"],
            lesion_labels=scans.of_cohort("lesion_labels"),
            ignored_labels=scans.of_cohort("ignored_labels"),
        ),
    script:
        "../../scripts/inspect_scans.py"


rule write_quality_page:
    """Show every scan of a cohort, outliers first."""
    input:
        chunks=scans.folders_of_chunks("quality"),
        subjects=scans.subjects_of_cohort,
    output:
        page=report(
            directory("results/report/quality/{cohort}"),
            htmlindex="index.html",
            caption="../report/caption.rst",
            category="Quality control",
            labels={"cohort": "{cohort}"},
        ),
        measures="results/report/tables/quality_{cohort}.tsv",
    log:
        "logs/write_quality_page/{cohort}.log",
    benchmark:
        "benchmarks/write_quality_page/{cohort}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(30),
    params:
        **compared(
            code=code_of("write_quality_page", QUALITY_PAGE),
            caption=register.quality_caption,
            name=register.label_of_cohort,
            dataset=scans.dataset,
            modality=scans.modality,
        ),
    script:
        "../../scripts/write_quality_page.py"
