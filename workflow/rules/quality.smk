"""How well the scans came through preprocessing, for people to look at.

1. inspect_scans       measures and a picture of every scan of a batch
2. write_quality_page  one page per data set and modality, the doubtful scans first
"""


rule inspect_scans:
    """Measure and draw the scans of a batch."""
    input:
        unpack(stages_of_batch),
        code=library_of("inspect_scans"),
    output:
        folder=directory("results/quality/{dataset}/{modality}/batch{batch}"),
    log:
        "logs/inspect_scans/{dataset}/{modality}/batch{batch}.log",
    benchmark:
        "benchmarks/inspect_scans/{dataset}/{modality}/batch{batch}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    script:
        "../../scripts/inspect_scans.py"


rule write_quality_page:
    """Show every scan of a data set, sorted by doubt."""
    input:
        batches=batch_folders("quality"),
        subjects="results/subjects/{dataset}.tsv",
        code=library_of("write_quality_page"),
        template=f"{workflow.basedir}/scripts/brainuad/report/quality/page.html.jinja",
    output:
        page=report(
            directory("results/report/quality/{dataset}_{modality}"),
            htmlindex="index.html",
            caption="../report/quality.rst",
            category="Quality control",
            labels={"data set": "{dataset}", "modality": "{modality}"},
        ),
        measures="results/report/tables/quality_{dataset}_{modality}.tsv",
    log:
        "logs/write_quality_page/{dataset}_{modality}.log",
    benchmark:
        "benchmarks/write_quality_page/{dataset}_{modality}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        dataset="{dataset}",
        modality="{modality}",
    script:
        "../../scripts/write_quality_page.py"
