"""Figures of the main results, as SVG and PNG."""


localrules:
    plot_dice_by_volume,
    plot_training,


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
        histories=list(training_tables("history").values()),
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
        labels=list(training_tables("history")),
    script:
        "../../scripts/plot_training.py"
