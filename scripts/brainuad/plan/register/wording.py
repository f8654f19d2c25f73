"""Values of the config, and sentences about them, that several entries of the register use."""

from typing import Any

from brainuad.plan.study import Cohort, Study

VOLUMES = (
    "Volumes are counted on the evaluation grid and scaled to the size that the patient's scan had "
    "before its registration; what lies outside the grid is not counted. For scans that came "
    "registered (as in the authors' archive) this size is unknown, and volumes are those on the "
    "evaluation grid."
)
LED_METHODS = (
    "Among methods with the same model and score, only the one with the most timesteps is drawn"
)


def bootstrap(study: Study) -> dict[str, Any]:
    """The bootstrap that gives means over subjects their intervals."""
    return {**study.config["evaluation"]["bootstrap"], "seed": study.seed}


def interval(study: Study) -> str:
    return f"{100 * bootstrap(study)['confidence']:.0f} % bootstrap interval"


def drawn(study: Study) -> str:
    """How the bootstrap was drawn."""
    settings = bootstrap(study)
    return f"{settings['rounds']} rounds, seed {settings['seed']}"


def spread(study: Study) -> str:
    """What the cells of most tables hold."""
    return (
        "The first line of a cell is the mean over folds of the mean over subjects \u00b1 the "
        "standard deviation over folds (none if there is one fold); the second line is the "
        f"{interval(study)} of the mean over subjects ({drawn(study)})."
    )


def threshold(study: Study) -> str:
    """The threshold that lesions are segmented at, in words."""
    if study.bundle is not None:
        return "the bundle's threshold, which 1 % of healthy voxels exceed"
    return "the threshold fitted on validation subjects"


def labels_of(study: Study) -> dict[str, Any]:
    """The arguments of `report.labels.Labels`."""
    return {
        "methods": {name: method.label for name, method in study.all_methods.items()},
        "models": {name: _label_of_model(study, name) for name in study.config["models"]},
        "datasets": {name: block["label"] for name, block in study.datasets.items()},
        "several": [
            name for name in study.with_masks if len(study.datasets[name]["modalities"]) > 1
        ],
    }


def _label_of_model(study: Study, model: str) -> str:
    """The label of its method with the same name, or of its only method, or else its name."""
    labels = {name: it.label for name, it in study.all_methods.items() if it.model == model}
    if model in labels:
        return labels[model]
    return next(iter(labels.values())) if len(labels) == 1 else model


def cohort_label(study: Study, cohort: Cohort) -> str:
    """The label of a cohort, such as BraTS21 T2."""
    return f"{study.datasets[cohort.dataset]['label']} {cohort.modality.upper()}"


def lesion_set_label(study: Study, cohort: Cohort) -> str:
    """The label of a lesion set, such as BraTS21; with the modality if it is scored in several."""
    if cohort.dataset in labels_of(study)["several"]:
        return cohort_label(study, cohort)
    return study.datasets[cohort.dataset]["label"]
