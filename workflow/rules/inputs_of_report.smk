"""Which tables and figures there are, and what they are made from."""

SEGMENTATION = score_grid(METHODS, LESION)
RECONSTRUCTION = score_grid(painting_methods(), [*HEALTHY, *LESION])
CONTRAST = score_grid(config["experiments"]["contrast"]["methods"], LESION)
# What was measured on phantoms says nothing about the paper, and is not set beside it.
PHANTOMS = config["phantoms"] is not None
PAPER = f"{workflow.basedir}/resources/paper"


def figure(name, ending="png"):
    return f"results/report/figures/{name}.{ending}"


def packed_sets():
    """Every data set and modality that is packed, as "dataset_modality"."""
    return [f"{name}_{modality}" for name in DATASETS for modality in DATASETS[name]["modalities"]]


def table(name):
    return f"results/report/tables/{name}.tsv"


def quality_tables():
    return [table(f"quality_{name}") for name in packed_sets()]


def tables_and_figures():
    """All that the page shows besides the run itself."""
    tables = ["segmentation", "reconstruction", "contrast", "comparison", "left_out", "splits"]
    if not PHANTOMS:
        tables += ["beside_paper", "claims"]
    figures = [
        "dice_by_volume",
        "training",
        *(f"{kind}_{name}" for kind in ("panel", "precision_recall") for name in LESION),
    ]
    return [
        *map(table, tables),
        *(figure(name) for name in figures),
        *quality_tables(),
    ]


def package_versions():
    """The pinned packages of all rule environments, and Snakemake's own version."""
    pins = {"snakemake": snakemake.__version__}
    for name in ("core", "phantoms", "ants", "hdbet", "torch", "report"):
        content = yaml.safe_load((PROJECT / "envs" / f"{name}.yaml").read_text())
        packages = next(part["pip"] for part in content["dependencies"] if isinstance(part, dict))
        pins |= dict(pin.split("==") for pin in packages)
    return dict(sorted(pins.items()))


def training_histories():
    """From "model/modality/fold" to the history of each training, pretraining first."""
    runs = [f"{modality}/fold{fold}" for modality in MODALITIES for fold in FOLDS]
    files = {}
    if any(config["methods"][model]["pretrained"] == "spark" for model in TRAINED):
        files |= {f"pretraining/{run}": f"results/pretraining/{run}/history.tsv" for run in runs}
    for model in TRAINED:
        files |= {f"{model}/{run}": f"results/models/{model}/{run}/history.tsv" for run in runs}
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
    splits = DATASETS[dataset]["splits"]
    if splits is not None:
        return f"released lists in {splits['folder']}"
    if dataset in PATIENTS and dataset not in LESION:
        return "all subjects are tested (no lesion masks)"
    return f"drawn with seed {config['seed']}"


def split_files(ending):
    return [
        f"results/splits/{dataset}/fold{fold}{ending}" for dataset in DATASETS for fold in FOLDS
    ]
