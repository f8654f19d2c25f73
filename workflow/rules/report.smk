"""What a reader sees: tables, figures, and one page that shows them all.

1. tabulate_*       numbers, as TSV, HTML and LaTeX
2. plot_*           figures, as SVG and PNG
3. write_overview   results/report/index.html

What reads scores alone takes seconds, and is not sent to a cluster's nodes.
"""


localrules:
    tabulate_segmentation,
    tabulate_reconstruction,
    tabulate_contrast,
    tabulate_left_out,
    tabulate_splits,
    tabulate_run,
    plot_dice_by_volume,
    plot_training,
    write_overview,


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
        scores=score_files(RECONSTRUCTION),
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
        **RECONSTRUCTION,
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_reconstruction.py"


rule tabulate_contrast:
    """The main table under changed contrast."""
    input:
        scores=score_files(CONTRAST, folder="results/contrast"),
        code=library_of("tabulate_contrast"),
    output:
        tsv="results/report/tables/contrast.tsv",
        html=report(
            "results/report/tables/contrast.html",
            caption="../report/contrast.rst",
            category="Tables",
            labels={"table": "changed contrast"},
        ),
        tex="results/report/tables/contrast.tex",
    log:
        "logs/tabulate_contrast/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **CONTRAST,
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_contrast.py"


rule tabulate_left_out:
    """Which scans were left out, at which stage, and why."""
    input:
        subjects=expand("results/subjects/{dataset}.tsv", dataset=DATASETS),
        left_out=[f"results/slices/{name}_left_out.tsv" for name in packed_sets()],
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


rule plot_precision_recall:
    """Precision against recall over the test voxels of a data set, and each method's threshold."""
    input:
        slices=slices_of_dataset,
        split=f"results/splits/{{dataset}}/fold{FOLDS[0]}.tsv",
        reconstructions=first_fold(
            "results/reconstructions/{method}/{modality}/fold{fold}/{dataset}.npz"
        ),
        thresholds=first_fold("results/thresholds/{method}/fold{fold}/{dataset}.json"),
        code=library_of("plot_precision_recall"),
    output:
        svg="results/report/figures/precision_recall_{dataset}.svg",
        png=report(
            "results/report/figures/precision_recall_{dataset}.png",
            caption="../report/precision_recall.rst",
            category="Results",
            subcategory="Precision and recall",
            labels={"data set": "{dataset}"},
        ),
    log:
        "logs/plot_precision_recall/{dataset}.log",
    benchmark:
        "benchmarks/plot_precision_recall/{dataset}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        methods=METHODS,
        dataset="{dataset}",
        modality=method_modality,
        postprocessing=config["evaluation"]["postprocessing"],
    script:
        "../../scripts/plot_precision_recall.py"


rule plot_panel:
    """Slices of a data set: scan, reconstruction, anomaly map, prediction and lesion."""
    input:
        slices=slices_of_dataset,
        split=f"results/splits/{{dataset}}/fold{FOLDS[0]}.tsv",
        reconstructions=first_fold(
            "results/reconstructions/{method}/{modality}/fold{fold}/{dataset}.npz"
        ),
        thresholds=first_fold("results/thresholds/{method}/fold{fold}/{dataset}.json"),
        code=library_of("plot_panel"),
    output:
        svg="results/report/figures/panel_{dataset}.svg",
        png=report(
            "results/report/figures/panel_{dataset}.png",
            caption="../report/panel.rst",
            category="Results",
            subcategory="Slices",
            labels={"data set": "{dataset}"},
        ),
    log:
        "logs/plot_panel/{dataset}.log",
    benchmark:
        "benchmarks/plot_panel/{dataset}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        methods=METHODS,
        dataset="{dataset}",
        modality=method_modality,
        postprocessing=config["evaluation"]["postprocessing"],
    script:
        "../../scripts/plot_panel.py"


rule plot_dice_by_volume:
    """Dice of each subject against its lesion volume."""
    input:
        scores=score_files(SEGMENTATION),
        code=library_of("plot_dice_by_volume"),
    output:
        svg="results/report/figures/dice_by_volume.svg",
        png=report(
            "results/report/figures/dice_by_volume.png",
            caption="../report/dice_by_volume.rst",
            category="Results",
            subcategory="Lesion volume",
            labels={"data set": "all"},
        ),
    log:
        "logs/plot_dice_by_volume/figure.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **SEGMENTATION,
    script:
        "../../scripts/plot_dice_by_volume.py"


rule plot_training:
    """Training and validation loss of each model."""
    input:
        histories=list(training_histories().values()),
        code=library_of("plot_training"),
    output:
        svg="results/report/figures/training.svg",
        png=report(
            "results/report/figures/training.png",
            caption="../report/training.rst",
            category="Training",
            labels={"figure": "losses"},
        ),
    log:
        "logs/plot_training/figure.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        labels=list(training_histories()),
    script:
        "../../scripts/plot_training.py"


rule tabulate_run:
    """Run times and peak memory of each rule, versions and seeds."""
    input:
        results=tables_and_figures(),
        code=library_of("tabulate_run"),
    output:
        tsv="results/report/tables/run.tsv",
        html=report(
            "results/report/tables/run.html",
            caption="../report/run.rst",
            category="Run",
            labels={"table": "run times, versions, seeds"},
        ),
    log:
        "logs/tabulate_run/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        versions=package_versions(),
        seeds={"run": config["seed"]},
        benchmarks="benchmarks",
    script:
        "../../scripts/tabulate_run.py"


rule write_overview:
    """One page with the finding, all tables and all figures."""
    input:
        segmentation="results/report/tables/segmentation.tsv",
        reconstruction="results/report/tables/reconstruction.tsv",
        contrast="results/report/tables/contrast.tsv",
        comparison="results/report/tables/comparison.tsv",
        beside_paper=[] if PHANTOMS else ["results/report/tables/beside_paper.tsv"],
        claims=[] if PHANTOMS else ["results/report/tables/claims.tsv"],
        left_out="results/report/tables/left_out.tsv",
        run="results/report/tables/run.tsv",
        precision_recall=[figure(f"precision_recall_{name}", "svg") for name in LESION],
        panels=[figure(f"panel_{name}") for name in LESION],
        dice_by_volume=figure("dice_by_volume", "svg"),
        training=figure("training", "svg"),
        quality=quality_tables(),
        atlas_facts=["results/atlas/facts.tsv"] if RAW else [],
        splits="results/report/tables/splits.tsv",
        code=library_of("write_overview"),
        template=f"{workflow.basedir}/scripts/brainuad/overview.html.jinja",
    output:
        html=report(
            "results/report/index.html",
            caption="../report/overview.rst",
            category="Overview",
            labels={"page": "all results"},
        ),
    log:
        "logs/write_overview/page.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        title="Anomaly detection in brain MRI",
        phantoms=PHANTOMS,
        confidence=config["evaluation"]["bootstrap"]["confidence"],
        datasets=[f"{name}_{DATASETS[name]['modalities'][0]}" for name in LESION],
        scans=packed_sets(),
    script:
        "../../scripts/write_overview.py"
