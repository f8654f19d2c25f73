"""From wildcards to the results that a job reads: slices, reconstructions, thresholds, scores."""


def evaluated_partitions(wildcards):
    """Thresholds come from validation subjects, of lesion sets and of the healthy ones beside them."""
    scans = f"{wildcards.dataset}_{wildcards.modality}"
    if scans in with_lesion_sets([*LESION, *HEALTHY]):
        return ["validation", "test"]
    return ["test"]


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


def lesion_sets_of_modality(wildcards):
    return [name for name in LESION if wildcards.modality in DATASETS[name]["modalities"]]


def thresholds_of_modality(wildcards):
    folder = f"results/thresholds/{wildcards.method}/fold{wildcards.fold}"
    return [f"{folder}/{dataset}.json" for dataset in lesion_sets_of_modality(wildcards)]


def perceptual_weights(wildcards):
    """The network by which LPIPS is measured, which the user brings."""
    weights = config["evaluation"]["perceptual"]["weights"]
    if not Path(weights).is_file():
        raise WorkflowError(
            f"config: evaluation.perceptual.weights: there is no file {weights!r}; put it there, or "
            "set evaluation.perceptual to null"
        )
    return [weights]


def perceptual_sha256(wildcards):
    return config["evaluation"]["perceptual"]["sha256"]
