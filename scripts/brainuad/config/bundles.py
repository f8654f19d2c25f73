"""Configs that name a bundle: which keys the bundle sets, and which the config must leave out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from brainuad.config.evaluation import MethodBlock, PostprocessingSettings
from brainuad.config.limits import NonNegativeInt
from brainuad.config.modalities import Modality
from brainuad.config.models import ModelBlock
from brainuad.config.preprocessing import Preprocessing
from brainuad.config.settings import Limits, settings_from
from brainuad.io.bundle_files import SETTINGS, TEMPLATE, read_settings
from brainuad.io.errors import SettingsError

# A run's own copy of the bundle's files, made after their checksums were checked.
TAKEN = "results/bundle"
# Keys of the preprocessing that a bundle does not set: they do not change results.
OWN_PREPROCESSING = ("scans_per_job",)
# The value of skull_stripping for scans that come stripped.
CAME_STRIPPED = "none"
SPLIT_KEYS = ("validation", "test", "splits", "stratify")


@dataclass(frozen=True)
class BundleSettings:
    """Every key of a bundle's settings, as `settings_of_bundle` makes them."""

    format: int
    modality: Modality
    seed: NonNegativeInt
    methods: Annotated[dict[str, MethodBlock], Limits(items=(1, 1))]
    models: Annotated[dict[str, ModelBlock], Limits(items=(0, 1))]
    preprocessing: Preprocessing
    skull_stripping: Literal["hdbet", "template", "none"]
    hdbet_version: Literal[1, 2] | None
    weighted_bias_correction: bool | None
    postprocessing: PostprocessingSettings


def settings_of_bundle(config: dict[str, Any], method: str, modality: str) -> dict[str, Any]:
    """The part of a config that a bundle of its run keeps; `with_bundle` reads it."""
    # ASSUME: device and precision are not part of a bundle: it may be applied on another device
    # than it was trained on, where numbers differ in their last digits.
    # ASSUME: if the training scans came stripped, it is not known how, and a run that applies the
    # bundle says it in its config. Networks and mirroring of HD-BET always depend on the machine.
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
    """The config with all values that its bundle sets; unchanged without a bundle.

    values  the config with the defaults; its types were checked
    said    the config without the defaults: the run has its data sets alone, and its other values
            must be those of the bundle

    Raises SettingsError, one line, for a bundle that cannot be used, and for a key of the config
    that contradicts the bundle.
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
    """The settings of a bundle, checked, with the config's own keys of the preprocessing."""
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
    """A data set's block without the defaults of its split, since all scans are tested."""
    return {key: value for key, value in block.items() if key in said or key not in SPLIT_KEYS}


def _brought_to_scans(
    key: str, block: dict[str, Any], said: dict[str, Any], settings: dict[str, Any], bundle: str
) -> dict[str, Any]:
    """The skull stripping and bias correction of a data set: those of the training scans."""
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
    """Raise SettingsError if applying a bundle would overwrite the run that trained it."""
    if Path(bundle).resolve().is_relative_to(Path("results").resolve()):
        raise SettingsError(
            f"config: bundle: {bundle!r} lies in the results of this working directory, where it "
            "was trained; apply it in a directory of its own (snakemake --directory)"
        )


def _brought(settings: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The keys of the config that a bundle sets: nothing is trained, fitted or compared."""
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
    """Raise SettingsError if the config contradicts the bundle."""
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
                f"{key}.modalities: the bundle is for {modality}, not for {others[0]}; remove "
                f"{others[0]}, and apply a bundle for {others[0]} in a run of its own"
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
