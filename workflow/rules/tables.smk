"""The paper's tables, and what was left out and who was split how: as TSV, HTML and LaTeX.

What reads scores alone takes seconds, and is not sent to a cluster's nodes.
"""


localrules:
    tabulate_segmentation,
    tabulate_reconstruction,
    tabulate_thresholds,
    tabulate_left_out,
    tabulate_splits,


rule tabulate_segmentation:
    """The main table: Dice and AUPRC of each method on each data set with lesions."""
    input:
        scores=score_files(SEGMENTATION),
        code=library_of("tabulate_segmentation"),
    output:
        tsv="results/report/tables/segmentation.tsv",
        html=report(
            "results/report/tables/segmentation.html",
            caption="../report/segmentation.rst",
            category="Tables",
            labels={"table": "segmentation"},
        ),
        tex="results/report/tables/segmentation.tex",
    log:
        "logs/tabulate_segmentation/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **SEGMENTATION,
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_segmentation.py"


rule tabulate_reconstruction:
    """How well healthy brains are painted, and how the residual rises in lesions."""
    input:
        scores=[
            *score_files(RECONSTRUCTION),
            *score_files(PERCEPTUAL, folder="results/perceptual"),
        ],
        code=library_of("tabulate_reconstruction"),
    output:
        tsv="results/report/tables/reconstruction.tsv",
        html=report(
            "results/report/tables/reconstruction.html",
            caption="../report/reconstruction.rst",
            category="Tables",
            labels={"table": "reconstruction"},
        ),
        tex="results/report/tables/reconstruction.tex",
    log:
        "logs/tabulate_reconstruction/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **joined(RECONSTRUCTION, PERCEPTUAL),
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_reconstruction.py"


rule tabulate_thresholds:
    """On how many patients and lesion voxels each threshold rests, and what healthy voxels give."""
    input:
        fitted=files_of_thresholds(LESION_THRESHOLDS),
        healthy=files_of_scans(
            HEALTHY_THRESHOLDS, folder="results/healthy_thresholds", ending="json"
        ),
        code=library_of("tabulate_thresholds"),
    output:
        tsv="results/report/tables/thresholds.tsv",
        html=report(
            "results/report/tables/thresholds.html",
            caption="../report/thresholds.rst",
            category="Tables",
            labels={"table": "what thresholds rest on"},
        ),
        tex="results/report/tables/thresholds.tex",
    log:
        "logs/tabulate_thresholds/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        fitted_grid=LESION_THRESHOLDS,
        healthy_grid=HEALTHY_THRESHOLDS,
    script:
        "../../scripts/tabulate_thresholds.py"


rule tabulate_left_out:
    """Which scans were left out, at which stage, and why."""
    input:
        subjects=expand("results/subjects/{dataset}.tsv", dataset=DATASETS),
        left_out=[f"results/slices/{name}_left_out.tsv" for name in packed_sets()],
        remarks=expand("results/subjects/remarks/{dataset}.tsv", dataset=DATASETS),
        code=library_of("tabulate_left_out"),
    output:
        tsv="results/report/tables/left_out.tsv",
        html=report(
            "results/report/tables/left_out.html",
            caption="../report/left_out.rst",
            category="Quality control",
            labels={"table": "scans left out"},
        ),
    log:
        "logs/tabulate_left_out/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        datasets=list(DATASETS),
        left_out_names=packed_sets(),
    script:
        "../../scripts/tabulate_left_out.py"


rule tabulate_splits:
    """Who trained, who set thresholds and who was tested, by which lists."""
    input:
        splits=split_files(".tsv"),
        findings=split_files("_findings.tsv"),
        code=library_of("tabulate_splits"),
    output:
        tsv="results/report/tables/splits.tsv",
        html=report(
            "results/report/tables/splits.html",
            caption="../report/splits.rst",
            category="Quality control",
            labels={"table": "splits"},
        ),
    log:
        "logs/tabulate_splits/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        **split_grid(),
    script:
        "../../scripts/tabulate_splits.py"
