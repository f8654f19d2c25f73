"""Which tables, figures, maps and pages there are, and what they are made from."""

# What was measured on phantoms says nothing about the paper, and is not set beside it.
PHANTOMS = config["phantoms"] is not None
PAPER = f"{workflow.basedir}/resources/paper"


def figure(name, ending="png"):
    return f"results/report/figures/{name}.{ending}"


def table(name):
    return f"results/report/tables/{name}.tsv"


def quality_tables():
    return [table(f"quality_{name}") for name in packed_sets()]


def tables_of_report():
    """The names of all tables, in the order of the report."""
    asked = {
        "contrast": CONTRAST,
        "postprocessing": POSTPROCESSING,
        "histograms": HISTOGRAMS,
        "conditioning": CONDITIONING,
    }
    return [
        *("segmentation", "reconstruction", "comparison", "thresholds"),
        *(name for name, grid in asked.items() if grid["methods"]),
        *("times", "subgroups", "detection", "false_positives", "calibration"),
        *([] if PHANTOMS else ["beside_paper", "claims"]),
        *(["beside_run"] if config["other_run"] else []),
        *("left_out", "splits"),
    ]


def figures_of_report():
    """The figures of the page, from stem to file."""
    by_scans = {"histograms": HISTOGRAMS, "conditioning": CONDITIONING}
    drawn = ["dice_by_volume", "training", "times", "calibration"]
    drawn += ["timesteps"] if TIMESTEPS["methods"] else []
    pictures = [f"panel_{name}" for name in LESION] + [
        f"{name}_{scans}" for name, grid in by_scans.items() for scans in scans_of(grid)
    ]
    drawn += [f"precision_recall_{name}" for name in LESION]
    # Pictures of brains as pixels, charts as lines.
    return {stem: figure(stem, "svg") for stem in drawn} | {stem: figure(stem) for stem in pictures}


def tables_and_figures():
    """All that the page shows besides the run itself."""
    return [
        *map(table, tables_of_report()),
        *figures_of_report().values(),
        *quality_tables(),
    ]


def claimed_tables():
    """Where the numbers of the paper's claims are; of one in several tables the first counts."""
    measured = ["segmentation", "reconstruction", "contrast", "histograms", "times"]
    return [table(name) for name in tables_of_report() if name in measured]


def tables_of_other_run(wildcards):
    """The other run's tables, by which ours are held."""
    folder = Path(config["other_run"]["folder"])
    files = [
        folder / f"results/report/tables/{name}.tsv" for name in ("segmentation", "reconstruction")
    ]
    for file in files:
        if not file.is_file():
            raise WorkflowError(
                f"config: other_run.folder: there is no {str(file)!r}; make that run first, or set "
                "other_run to null"
            )
    return [str(file) for file in files]


def name_of_other_run(wildcards):
    return config["other_run"]["name"]


def package_versions():
    """The pinned packages of all rule environments, and Snakemake's own version."""
    pins = {"snakemake": snakemake.__version__}
    for name in ("core", "phantoms", "ants", "hdbet", "torch", "report"):
        content = yaml_of("envs", f"{name}.yaml")
        packages = next(part["pip"] for part in content["dependencies"] if isinstance(part, dict))
        pins |= dict(pin.split("==") for pin in packages)
    return dict(sorted(pins.items()))


def training_tables(name):
    """From "model/modality/fold" to a table of each training, pretraining first."""
    runs = [f"{modality}/fold{fold}" for modality in MODALITIES for fold in FOLDS]
    files = {}
    if any(config["methods"][model]["pretrained"] == "spark" for model in TRAINED):
        files |= {f"pretraining/{run}": f"results/pretraining/{run}/{name}.tsv" for run in runs}
    for model in TRAINED:
        files |= {f"{model}/{run}": f"results/models/{model}/{run}/{name}.tsv" for run in runs}
    return files


def first_fold(pattern):
    """A function from a data set to the files of all methods, in the first fold."""

    def files(wildcards):
        modality = method_modality(wildcards)
        return expand(
            pattern,
            method=METHODS,
            dataset=wildcards.dataset,
            modality=modality,
            fold=FOLDS[0],
        )

    return files


def split_grid():
    """Every data set and fold, with where its split comes from, as parallel lists."""
    grid = [(dataset, fold) for dataset in DATASETS for fold in FOLDS]
    return {
        "datasets": [dataset for dataset, _ in grid],
        "folds": [fold for _, fold in grid],
        "sources": [split_source(dataset) for dataset, _ in grid],
    }


def split_source(dataset):
    """Where a data set's split comes from, in words."""
    splits, stratify = DATASETS[dataset]["splits"], DATASETS[dataset]["stratify"]
    if splits is not None:
        return f"released lists in {splits['folder']}"
    if dataset in PATIENTS and dataset not in LESION:
        return "all subjects are tested (no lesion masks)"
    return f"drawn with seed {config['seed']}" + (
        f", in proportion to {stratify}" if stratify else ""
    )


def split_files(ending):
    return [
        f"results/splits/{dataset}/fold{fold}{ending}" for dataset in DATASETS for fold in FOLDS
    ]


def anomaly_maps(dataset):
    return f"results/report/maps/{dataset}"


def all_anomaly_maps():
    return [anomaly_maps(dataset) for dataset in PATIENTS]


def figure_files(name):
    return [figure(name, ending) for ending in ("svg", "png")]


def quality_pages(dataset):
    modalities = DATASETS[dataset]["modalities"]
    return [f"results/report/quality/{dataset}_{modality}" for modality in modalities]


def targets_of(dataset):
    """A function that gives what a run of one data set alone makes."""

    def targets(wildcards):
        if dataset not in DATASETS:
            raise WorkflowError(f"config: datasets.{dataset} is null: it is not in the run")
        if dataset in HEALTHY:
            return [
                CHECKED_MODELS,
                *score_files(score_grid(painting_methods(), [dataset])),
                *quality_pages(dataset),
            ]
        if dataset not in LESION:
            return [CHECKED_MODELS, anomaly_maps(dataset), *quality_pages(dataset)]
        return [
            CHECKED_MODELS,
            *score_files(score_grid(METHODS, [dataset])),
            anomaly_maps(dataset),
            *figure_files(f"panel_{dataset}"),
            *figure_files(f"precision_recall_{dataset}"),
            *quality_pages(dataset),
        ]

    return targets
