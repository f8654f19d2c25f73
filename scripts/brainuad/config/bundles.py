"""A config that names a bundle: what the bundle brings, and what such a config may not say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from brainuad.config.evaluation import MethodBlock, PostprocessingSettings
from brainuad.config.limits import NotNegative
from brainuad.config.modalities import Modality
from brainuad.config.models import ModelBlock
from brainuad.config.preprocessing import Preprocessing
from brainuad.config.settings import Limits, settings_from
from brainuad.io.bundle_files import SETTINGS, TEMPLATE, read_settings
from brainuad.io.errors import SettingsError

# Where a run has its own copy of the bundle's files, made once their checksums were found right.
TAKEN = "results/bundle"
# How many scans a job takes is no matter of the model.
OWN_PREPROCESSING = ("scans_per_job",)
# The skull stripping of scans that have none left.
CAME_STRIPPED = "none"
OF_SPLITS = ("validation", "test", "splits", "stratify")


@dataclass(frozen=True)
class BundleSettings:
    """Every key of a bundle's settings, as `settings_of_bundle` makes them."""

    format: int
    modality: Modality
    seed: NotNegative
    methods: Annotated[dict[str, MethodBlock], Limits(items=(1, 1))]
    models: Annotated[dict[str, ModelBlock], Limits(items=(0, 1))]
    preprocessing: Preprocessing
    skull_stripping: Literal["hdbet", "template", "none"]
    hdbet_version: Literal[1, 2] | None
    weighted_bias_correction: bool | None
    postprocessing: PostprocessingSettings


def settings_of_bundle(config: dict[str, Any], method: str, modality: str) -> dict[str, Any]:
    """What a bundle keeps of the config of the run that trained it; `with_bundle` reads it."""
    # ASSUME: where networks are computed, and in which precision, is no part of a bundle: it may be
    # applied on another device than it was trained on, where numbers differ in their last digits.
    # ASSUME: where the training scans came stripped, the way is not known, and a bundle leaves it
    # to the config. Networks and mirroring of HD-BET are left to the machine in any case.
    block = config["methods"][method]
    model = block["model"]
    models = {} if model is None else {model: {**config["models"][model], "pretrained": None}}
    preprocessing = config["preprocessing"]
    (training,) = (
        dataset
        for dataset in config["datasets"].values()
        if dataset is not None and dataset["healthy"] and modality in dataset["modalities"]
    )
    is_raw = training["layout"] != "preprocessed"
    stripping = training["skull_stripping"] if is_raw else CAME_STRIPPED
    return {
        "modality": modality,
        "seed": config["seed"],
        "methods": {method: block},
        "models": models,
        "preprocessing": {
            key: value for key, value in preprocessing.items() if key not in OWN_PREPROCESSING
        },
        "skull_stripping": stripping,
        "hdbet_version": config["hdbet"]["version"] if stripping == "hdbet" else None,
        "weighted_bias_correction": training["weighted_bias_correction"] if is_raw else None,
        "postprocessing": config["evaluation"]["postprocessing"],
    }


def with_bundle(values: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """The config with all that its bundle brings; without a bundle, as it is.

    values  what the config says, with the defaults; its types were checked
    said    what the config says without them: its data sets are those of the run, and its other
            values must be those of the bundle

    Raises SettingsError, one line, for a bundle that cannot be used, and for a key of the config
    that says something else than the bundle.
    """
    bundle = values["bundle"]
    if bundle is None:
        return values
    _check_place(bundle)
    own_preprocessing = {key: values["preprocessing"][key] for key in OWN_PREPROCESSING}
    settings = _settings_in(bundle, own_preprocessing)
    brought = _brought(settings, values)
    for key in brought:
        if key in said:
            _check_said(key, said[key], brought[key], bundle)
    own = said.get("datasets", {})
    datasets = {
        name: _without_split(block, own[name])
        | _brought_to_scans(f"datasets.{name}", block, own[name], settings, bundle)
        for name, block in values["datasets"].items()
        if block is not None and name in own
    }
    _check_datasets(datasets, settings["modality"])
    return {**values, **brought, "datasets": datasets}


def _settings_in(bundle: str, own_preprocessing: dict[str, Any]) -> dict[str, Any]:
    """The settings of a bundle, checked, with what the config says itself of the preprocessing."""
    try:
        settings = read_settings(Path(bundle))
    except SettingsError as error:
        raise SettingsError(f"config: {error}") from None
    preprocessing = settings.get("preprocessing")
    if isinstance(preprocessing, dict):
        settings = {**settings, "preprocessing": {**preprocessing, **own_preprocessing}}
    try:
        settings_from(BundleSettings, settings)
    except SettingsError as error:
        raise SettingsError(
            f"config: bundle {bundle}: {SETTINGS} is damaged ({error}); get the bundle again"
        ) from None
    return settings


def _without_split(block: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """A data set's block without what only the defaults say of its split: all are tested."""
    return {key: value for key, value in block.items() if key in said or key not in OF_SPLITS}


def _brought_to_scans(
    key: str, block: dict[str, Any], said: dict[str, Any], settings: dict[str, Any], bundle: str
) -> dict[str, Any]:
    """How the scans of a data set are stripped and corrected: as those in training."""
    if block["layout"] == "preprocessed":
        return {}
    brought = {"weighted_bias_correction": settings["weighted_bias_correction"]}
    if CAME_STRIPPED not in (settings["skull_stripping"], block.get("skull_stripping")):
        brought["skull_stripping"] = settings["skull_stripping"]
    brought = {name: value for name, value in brought.items() if value is not None}
    for name, value in brought.items():
        if name in said:
            _check_said(f"{key}.{name}", said[name], value, bundle)
    return brought


def _check_place(bundle: str) -> None:
    """SettingsError where applying a bundle would write over the run that trained it."""
    if Path(bundle).resolve().is_relative_to(Path("results").resolve()):
        raise SettingsError(
            f"config: bundle: {bundle!r} lies in the results of this working directory, where it "
            "was trained; apply it in a directory of its own (snakemake --directory)"
        )


def _brought(settings: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The keys of the config that a bundle fills: nothing is trained, fitted or compared."""
    (method,) = settings["methods"]
    nothing = {"models": [], "methods": [], "cohorts": []}
    hdbet = values["hdbet"]
    return {
        "seed": settings["seed"],
        "folds": 1,
        "reference_run": None,
        "template": {**values["template"], "image": f"{TAKEN}/{TEMPLATE}", "sha256": None},
        "hdbet": {**hdbet, "version": settings["hdbet_version"] or hdbet["version"]},
        "preprocessing": settings["preprocessing"],
        "models": settings["models"],
        "methods": settings["methods"],
        "evaluation": {
            **values["evaluation"],
            "methods": [method],
            "later_methods": [],
            "maps_method": method,
            "times_reference": method,
            "comparison": {**values["evaluation"]["comparison"], "reference": method},
            "postprocessing": settings["postprocessing"],
        },
        "experiments": {
            name: block | {key: nothing[key] for key in block if key in nothing}
            for name, block in values["experiments"].items()
        },
    }


def _check_said(key: str, said: Any, brought: Any, bundle: str) -> None:
    """SettingsError where the config says something else than the bundle."""
    if said == brought:
        return
    inner = brought if isinstance(brought, dict) else {}
    if isinstance(said, dict):
        for name, value in said.items():
            _check_said(f"{key}.{name}", value, inner.get(name), bundle)
        return
    shown = "" if brought is None or inner else f" ({brought!r})"
    raise SettingsError(
        f"config: {key}: {said!r} is not what the bundle {bundle} was made with{shown}; leave the "
        "key out, since a bundle brings its own"
    )


def _check_datasets(datasets: dict[str, Any], modality: str) -> None:
    if not datasets:
        raise SettingsError("config: datasets: name the scans that the bundle is applied to")
    for name, block in datasets.items():
        key = f"config: datasets.{name}"
        others = [other for other in block["modalities"] if other != modality]
        if others:
            raise SettingsError(
                f"{key}.modalities: the bundle is for {modality}, not for {others[0]}; take "
                f"{others[0]} from it, and apply a bundle for {others[0]} in a run of its own"
            )
        if block["healthy"]:
            raise SettingsError(
                f"{key}.healthy: with a bundle nothing is trained; set it to false, and "
                "lesion_masks to false where there are none"
            )
        for part in ("validation", "test", "splits"):
            if block.get(part):
                raise SettingsError(
                    f"{key}.{part}: with a bundle no threshold is fitted, and all are tested; "
                    "leave it out"
                )
