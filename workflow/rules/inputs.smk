"""From wildcards to files and values: the functions that the rules' inputs and params name."""

# ----------------------------------------------------------------------------------------------
# Scans


@cache
def raw_files_state(root):
    """A digest of the names, sizes and times of the files below a folder.

    Snakemake sees only the time of the folder itself, and would miss a scan that was mended.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(root).rglob("*.*")):
        status = path.stat() if path.exists() else path.lstat()
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def raw_files(wildcards):
    """The state of a data set's raw files; phantoms are known by the rule that makes them."""
    if config["phantoms"] is not None:
        return None
    return raw_files_state(DATASETS[wildcards.dataset]["root"])


def raw_root(wildcards):
    """The folder with the raw scans of a data set."""
    root = DATASETS[wildcards.dataset]["root"]
    if config["phantoms"] is None and not Path(root).is_dir():
        raise WorkflowError(
            f"config: datasets.{wildcards.dataset}.root: there is no folder {root!r}. Put the raw "
            "scans there, or name their folder; a data set set to null is not in the run."
        )
    return root


@cache
def read_rows(table, changed):
    with open(table, newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def subject_rows(dataset):
    """The rows of a data set's subject table, made first where it is missing."""
    table = checkpoints.list_subjects.get(dataset=dataset).output.subjects
    return read_rows(table, Path(table).stat().st_mtime_ns)


def batches_of(dataset):
    """From batch number to the rows of its usable subjects.

    A batch is a run of rows of the subject table, those left out included, so that a scan that is
    mended later does not move the others.
    """
    size = config["preprocessing"]["scans_per_job"]
    rows = subject_rows(dataset)
    batches = {
        f"{start // size:03d}": [row for row in rows[start : start + size] if row["status"] == "ok"]
        for start in range(0, len(rows), size)
    }
    return {batch: usable for batch, usable in batches.items() if usable}


def batch_rows(wildcards):
    return batches_of(wildcards.dataset)[wildcards.batch]


def batch_subjects(wildcards):
    return [row["subject"] for row in batch_rows(wildcards)]


def batch_scans(wildcards):
    """The raw files of a batch: scans, and lesion masks where the data set has them."""
    columns = [wildcards.modality, "seg"]
    return [row[column] for row in batch_rows(wildcards) for column in columns if row[column]]


def batch_folders(stage):
    """A function from data set and modality to the folders of a stage's batches."""

    def folders(wildcards, dataset=None, modality=None):
        dataset = dataset or wildcards.dataset
        modality = modality or wildcards.modality
        return [
            f"results/{stage}/{dataset}/{modality}/batch{batch}" for batch in batches_of(dataset)
        ]

    return folders


def head_template(wildcards):
    """The head template and its brain mask, where the data set is stripped by them."""
    if DATASETS[wildcards.dataset]["skull_stripping"] != "template":
        return {}
    template = config["head_template"]
    return {
        "template": template["image"],
        "template_brain_mask": template["brain_mask"],
    }


def of_dataset(key, default=None):
    """A function from wildcards to one value of the data set's block."""

    def value(wildcards):
        return DATASETS[wildcards.dataset].get(key, default)

    return value


# ----------------------------------------------------------------------------------------------
# Models and methods. A method is a model, or with the suffix _ens the mean of its reconstructions.


def model_of(method):
    return method.removesuffix(ENSEMBLE)


def of_model(key):
    """A function from wildcards to one value of the model's block."""

    def value(wildcards):
        return config["methods"][wildcards.model][key]

    return value


def healthy_dataset(modality):
    """The healthy data set that models of a modality are trained on."""
    for name in HEALTHY:
        if modality in DATASETS[name]["modalities"]:
            return name
    raise WorkflowError(f"config: datasets: no healthy data set has the modality {modality!r}")


def training_slices(wildcards):
    return f"results/slices/{healthy_dataset(wildcards.modality)}_{wildcards.modality}.npz"


def training_split(wildcards):
    return f"results/splits/{healthy_dataset(wildcards.modality)}/fold{wildcards.fold}.tsv"


def pretrained_encoder(wildcards):
    """The encoder that a model starts from: made here, given by path, or none."""
    pretrained = config["methods"][wildcards.model]["pretrained"]
    if pretrained is None:
        return []
    if pretrained == "spark":
        return f"results/pretraining/{wildcards.modality}/fold{wildcards.fold}/encoder.pt"
    return pretrained


def spark_settings(wildcards):
    """What SparK pretrains: the encoder of the models that start from it."""
    encoders = {
        name: block["settings"]["encoder"]
        for name, block in config["methods"].items()
        if block["pretrained"] == "spark"
    }
    encoder, *others = encoders.values()
    if any(other != encoder for other in others):
        raise WorkflowError(f"config: methods: {', '.join(encoders)} must have the same encoder")
    network = {
        key: config["pretraining"][key] for key in ("decoder_width", "patch_size", "mask_ratio")
    }
    network |= {key: value for key, value in encoder.items() if key != "condition_width"}
    return {"network": network, "training": config["pretraining"]["training"]}


def gpus(wildcards):
    """One, where there is something to train and a GPU to do it on."""
    if config["device"] == "cpu":
        return 0
    model = model_of(getattr(wildcards, "method", getattr(wildcards, "model", TRAINED[0])))
    return int(config["methods"][model]["training"] is not None)


def weights_of_method(wildcards):
    folder = f"results/models/{model_of(wildcards.method)}"
    return f"{folder}/{method_modality(wildcards)}/fold{wildcards.fold}/weights.pt"


def method_modality(wildcards):
    """The modality in the path, or else the one of the lesion data set."""
    if hasattr(wildcards, "modality"):
        return wildcards.modality
    return DATASETS[wildcards.dataset]["modalities"][0]


def timesteps_of_method(wildcards):
    """The timesteps whose reconstructions a method averages."""
    key = "ensemble_timesteps" if wildcards.method.endswith(ENSEMBLE) else "timesteps"
    return config["evaluation"][key]


def reconstruction_code(wildcards):
    return library_of("reconstruct", method_file(model_of(wildcards.method)))


def contrast_code(wildcards):
    return library_of("score_changed_contrast", method_file(model_of(wildcards.method)))


def evaluated_partitions(wildcards):
    healthy = DATASETS[wildcards.dataset]["healthy"]
    return ["test"] if healthy else ["validation", "test"]


# ----------------------------------------------------------------------------------------------
# Results


def slices_of_dataset(wildcards):
    return f"results/slices/{wildcards.dataset}_{method_modality(wildcards)}.npz"


def reconstruction_of(method, *, dataset, modality, fold):
    return f"results/reconstructions/{method}/{modality}/fold{fold}/{dataset}.npz"


def reconstructions_of_dataset(wildcards):
    return reconstruction_of(
        wildcards.method,
        dataset=wildcards.dataset,
        modality=method_modality(wildcards),
        fold=wildcards.fold,
    )


def slices_of_healthy_dataset(wildcards):
    modalities = DATASETS[wildcards.dataset]["modalities"]
    return [f"results/slices/{wildcards.dataset}_{modality}.npz" for modality in modalities]


def reconstructions_of_healthy_dataset(wildcards):
    return [
        reconstruction_of(
            wildcards.method,
            dataset=wildcards.dataset,
            modality=modality,
            fold=wildcards.fold,
        )
        for modality in DATASETS[wildcards.dataset]["modalities"]
    ]


def mapped_reconstructions(wildcards):
    """The reconstructions whose anomaly maps are written as NIfTI: one method, the first fold."""
    return reconstruction_of(
        config["evaluation"]["maps_method"],
        dataset=wildcards.dataset,
        modality=method_modality(wildcards),
        fold=FOLDS[0],
    )


def painting_methods():
    """The rows of the tables whose models paint a brain: all but those that train nothing."""
    return [method for method in METHODS if model_of(method) in TRAINED]


def score_grid(methods, datasets):
    """Every combination of method, fold and data set, as three parallel lists."""
    grid = [(method, fold, dataset) for method in methods for fold in FOLDS for dataset in datasets]
    return {
        "methods": [method for method, _, _ in grid],
        "folds": [fold for _, fold, _ in grid],
        "datasets": [dataset for _, _, dataset in grid],
    }


def score_files(grid, folder="results/scores"):
    return [
        f"{folder}/{method}/fold{fold}/{dataset}.tsv"
        for method, fold, dataset in zip(grid["methods"], grid["folds"], grid["datasets"])
    ]


def anomaly_maps(dataset):
    return f"results/report/maps/{dataset}"


def all_anomaly_maps():
    return [anomaly_maps(dataset) for dataset in LESION]


def figure_files(name):
    return [f"results/report/figures/{name}.{ending}" for ending in ("svg", "png")]


def targets_of(dataset):
    """A function that gives what a run of one data set alone makes."""

    def targets(wildcards):
        if dataset not in DATASETS:
            raise WorkflowError(f"config: datasets.{dataset} is null: it is not in the run")
        if dataset in HEALTHY:
            return score_files(score_grid(painting_methods(), [dataset]))
        return [
            *score_files(score_grid(METHODS, [dataset])),
            anomaly_maps(dataset),
            *figure_files(f"panel_{dataset}"),
            *figure_files(f"precision_recall_{dataset}"),
        ]

    return targets


# ----------------------------------------------------------------------------------------------
# Report

SEGMENTATION = score_grid(METHODS, LESION)
RECONSTRUCTION = score_grid(painting_methods(), [*HEALTHY, *LESION])
CONTRAST = score_grid(config["experiments"]["contrast"]["methods"], LESION)


def figure(name, ending="png"):
    return f"results/report/figures/{name}.{ending}"


def packed_sets():
    """Every data set and modality that is packed, as "dataset_modality"."""
    return [f"{name}_{modality}" for name in DATASETS for modality in DATASETS[name]["modalities"]]


def tables_and_figures():
    """All that the page shows besides the run itself."""
    tables = ("segmentation", "reconstruction", "contrast", "left_out")
    figures = [
        "dice_by_volume",
        "training",
        *(f"{kind}_{name}" for kind in ("panel", "precision_recall") for name in LESION),
        *(f"{kind}_{name}" for kind in ("registration", "brain_masks") for name in packed_sets()),
    ]
    return [
        *(f"results/report/tables/{name}.tsv" for name in tables),
        *(figure(name) for name in figures),
    ]


def package_versions():
    """The pinned packages of all rule environments, and Snakemake's own version."""
    pins = {"snakemake": snakemake.__version__}
    for name in ("core", "phantoms", "ants", "torch", "report"):
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
