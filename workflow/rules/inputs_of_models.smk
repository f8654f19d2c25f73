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
        return [f"results/pretraining/{wildcards.modality}/fold{wildcards.fold}/encoder.pt"]
    if not Path(pretrained).is_file():
        raise WorkflowError(
            f"config: methods.{wildcards.model}.pretrained: there is no file {pretrained!r}"
        )
    return [pretrained]


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


# ----------------------------------------------------------------------------------------------
# Models are tried out before anything else.

CHECKED_MODELS = "results/models/sizes.tsv"


def settings_of_models():
    """What each model that is made is built from; an encoder that is pretrained here fits."""
    blocks = {name: config["methods"][name] for name in MODELS}
    return {
        name: {
            **block,
            "pretrained": None if block["pretrained"] == "spark" else block["pretrained"],
        }
        for name, block in blocks.items()
    }


def settings_of_pretraining():
    """What SparK pretrains, if a model that is made starts from it."""
    starts = [config["methods"][name]["pretrained"] for name in MODELS]
    return spark_settings(None) if "spark" in starts else None


def slice_size():
    """Rows and columns of the slices that models see."""
    normalization = config["preprocessing"]["normalization"]
    return [edge // normalization["downsampling"] for edge in normalization["size"][:2]]


def last_timestep():
    """The highest one that the rows of the tables are reconstructed from."""
    keys = ("timesteps", "ensemble_timesteps")
    return max(timestep for key in keys for timestep in config["evaluation"][key])


def gpus(wildcards):
    """One, where there is something to train and a GPU to do it on."""
    if DEVICE["name"] == "cpu":
        return 0
    for key in ("method", "model"):
        if hasattr(wildcards, key):
            return int(config["methods"][model_of(wildcards[key])]["training"] is not None)
    # A pretraining, or the methods that are timed side by side, which need weights too.
    return int(bool(TRAINED))


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


def timesteps_of(method):
    """The timesteps whose reconstructions a method averages."""
    key = "ensemble_timesteps" if method.endswith(ENSEMBLE) else "timesteps"
    return config["evaluation"][key]


def timesteps_of_method(wildcards):
    return timesteps_of(wildcards.method)


def code_of_method(script):
    """A function that gives the library behind a script, with the file of the method's kind."""

    def files(wildcards):
        return library_of(script, method_file(model_of(wildcards.method)))

    return files


def painting_methods():
    """The rows of the tables whose models paint a brain: all but those that train nothing."""
    return [method for method in METHODS if model_of(method) in TRAINED]


# ----------------------------------------------------------------------------------------------
# Methods that are timed side by side: on the healthy test subjects of a modality, the first fold.


def timed_dataset(wildcards):
    return healthy_dataset(wildcards.modality)


def timed_slices(wildcards):
    return f"results/slices/{timed_dataset(wildcards)}_{wildcards.modality}.npz"


def timed_split(wildcards):
    return f"results/splits/{timed_dataset(wildcards)}/fold{FOLDS[0]}.tsv"


def timed_weights(wildcards):
    return [
        f"results/models/{model_of(method)}/{wildcards.modality}/fold{FOLDS[0]}/weights.pt"
        for method in painting_methods()
    ]


def timed_code():
    kinds = {method_file(model_of(method)) for method in painting_methods()}
    return library_of("time_reconstruction", *sorted(kinds))
