"""From wildcards to files and values of models and methods.

A method is a model, or with the suffix _ens the mean of its reconstructions.
"""


def model_of(method):
    return method.removesuffix(ENSEMBLE)


def of_model(key):
    """A function from wildcards to one value of the model's block."""

    def value(wildcards):
        return config["methods"][wildcards.model][key]

    return value


def healthy_dataset(modality):
    """The healthy data set that models of a modality are trained on."""
    return next(name for name in HEALTHY if modality in DATASETS[name]["modalities"])


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
    if DEVICE["name"] == "cpu":
        return 0
    for key in ("method", "model"):
        if hasattr(wildcards, key):
            return int(config["methods"][model_of(wildcards[key])]["training"] is not None)
    # A pretraining.
    return 1


def device(wildcards):
    """How a job computes: on the GPU that it asks for, or on a processor."""
    return DEVICE if gpus(wildcards) else PROCESSOR


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
    return ["validation", "test"] if wildcards.dataset in LESION else ["test"]


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
    return [anomaly_maps(dataset) for dataset in PATIENTS]


def figure_files(name):
    return [f"results/report/figures/{name}.{ending}" for ending in ("svg", "png")]


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
                *score_files(score_grid(painting_methods(), [dataset])),
                *quality_pages(dataset),
            ]
        if dataset not in LESION:
            return [anomaly_maps(dataset), *quality_pages(dataset)]
        return [
            *score_files(score_grid(METHODS, [dataset])),
            anomaly_maps(dataset),
            *figure_files(f"panel_{dataset}"),
            *figure_files(f"precision_recall_{dataset}"),
            *quality_pages(dataset),
        ]

    return targets
