"""Check that the parts of the config fit one another."""

import importlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from brainuad.config.evaluation import FEWEST_HEALTHY_SCANS, NORMATIVE, SIGNED, takes_own_map
from brainuad.config.paths import check_root
from brainuad.config.patterns import check_patterns
from brainuad.config.settings import nearest, settings_from
from brainuad.io.errors import SettingsError

LIBRARY = Path(__file__).resolve().parents[1]
SCRIPTS = LIBRARY.parent
# Modules that a config cannot choose: SparK pretrains an encoder and reconstructs nothing.
NOT_CHOSEN = {
    "models": ("checkpoints", "shared_weights", "spark"),
    "scores": ("device_postprocess", "postprocess", "postprocessing_variants", "scoring"),
}


def check_references(values: dict[str, Any]) -> None:
    """Raise SettingsError if one part of a config, with its defaults, does not fit another."""
    datasets = {name: block for name, block in values["datasets"].items() if block is not None}
    for name, block in datasets.items():
        _check_dataset(name, block, values)
        check_root(name, block["root"])
    if values["bundle"] is None:
        _check_healthy_sets(datasets)
    local = values["hdbet"]["weights"]["local"]
    if local is not None and not Path(local).exists():
        raise SettingsError(f"config: hdbet.weights.local: there is no {local!r}")
    if values["hdbet"]["version"] == 2 and values["hdbet"]["networks"] is not None:
        raise SettingsError("config: hdbet.networks: version 2 is one network; set it to null")
    for name, block in values["models"].items():
        _check_model(name, block, is_trained=values["bundle"] is None)
    for name, block in values["methods"].items():
        _check_method(name, block, values["models"])
    _check_labels("methods", values["methods"])
    _check_labels("datasets", datasets)
    _check_evaluation(values)
    if values["bundle"] is None:
        _check_healthy_scans(values, datasets)
    _check_experiments(values)


def kinds_in(package: str) -> list[str]:
    """The modules of a package of the library that a config may choose."""
    files = LIBRARY.joinpath(package).glob("[!_]*.py")
    return sorted({file.stem for file in files} - set(NOT_CHOSEN.get(package, ())))


def _check_healthy_sets(datasets: dict[str, dict[str, Any]]) -> None:
    modalities = {modality for block in datasets.values() for modality in block["modalities"]}
    for modality in sorted(modalities):
        healthy = [
            name
            for name, block in datasets.items()
            if block["healthy"] and modality in block["modalities"]
        ]
        if not healthy:
            raise SettingsError(
                f"config: datasets: there is no healthy data set with {modality} to train on, such "
                "as ixi"
            )
        if len(healthy) > 1:
            raise SettingsError(
                f"config: datasets: {' and '.join(healthy)} are both healthy and have {modality}, "
                "but one data set is trained on; set the other to null or remove its modality"
            )
    if all(block["healthy"] for block in datasets.values()):
        raise SettingsError("config: datasets: there is no data set of patients; add one")


def _check_dataset(name: str, block: dict[str, Any], values: dict[str, Any]) -> None:
    key = f"config: datasets.{name}"
    if name in {"all", "bundle", *(file.stem for file in SCRIPTS.glob("*.py"))}:
        raise SettingsError(f"{key}: a rule has this name; give the data set another")
    if name in ("test", "average"):
        raise SettingsError(f"{key}: tables use this name; give the data set another")
    layouts = kinds_in("datasets/layouts")
    if block["layout"] not in layouts:
        raise SettingsError(f"{key}.layout: {block['layout']!r} is not one of {', '.join(layouts)}")
    for own, layout in (("files", "files"), ("table", "table"), ("part", "preprocessed")):
        if (block[own] is not None) != (block["layout"] == layout):
            word = "needs" if block["layout"] == layout else "takes no"
            raise SettingsError(f"{key}: layout {block['layout']} {word} {own!r}")
    if block["files"] is not None:
        _check_files(key, block)
    password = block["password"]
    if password is not None and sum(value is not None for value in password.values()) != 1:
        raise SettingsError(f"{key}.password: give either file or environment")
    if block["healthy"]:
        if block["splits"] is None and not (block["validation"] and block["test"]):
            raise SettingsError(f"{key}: a healthy data set needs 'validation' and 'test'")
    elif block["test"] is not None:
        raise SettingsError(
            f"{key}.test: all patients that are not for validation are tested; leave the key out"
        )
    elif (
        block["lesion_masks"]
        and block["splits"] is None
        and not block["validation"]
        and values["bundle"] is None
    ):
        raise SettingsError(f"{key}: the threshold needs 'validation' subjects")
    elif not block["lesion_masks"] and (block["validation"] or block["splits"]):
        raise SettingsError(f"{key}: without lesion masks there is nothing to validate or split")
    raw = block["layout"] != "preprocessed"
    if raw and block["skull_stripping"] == "template" and values["head_template"] is None:
        raise SettingsError(
            f"{key}.skull_stripping is 'template', which needs head_template: {{image, brain_mask}}"
        )


def _check_files(key: str, block: dict[str, Any]) -> None:
    try:
        check_patterns(block["files"])
    except SettingsError as error:
        raise SettingsError(f"{key}.{error}") from None
    scored = not block["healthy"] and block["lesion_masks"]
    known = [*block["modalities"], "seg"]
    for part in block["files"]:
        if part not in known:
            raise SettingsError(f"{key}.files.{part}: unknown key{nearest(part, known)}")
    for part in [*block["modalities"], *(["seg"] if scored else [])]:
        if part not in block["files"]:
            raise SettingsError(f"{key}.files: there is no pattern for {part}")


def _check_model(name: str, block: dict[str, Any], *, is_trained: bool) -> None:
    key = f"config: models.{name}"
    kinds = kinds_in("models")
    if block["kind"] not in kinds:
        raise SettingsError(f"{key}.kind: {block['kind']!r} is not one of {', '.join(kinds)}")
    kind = _settings_of(block)
    if kind is not None:
        settings_from(kind, block["settings"], f"{key}.settings")
    start, is_needed = block["pretrained"], getattr(kind, "needs_pretrained", False)
    if is_needed and is_trained and start is None:
        raise SettingsError(f"{key}.pretrained: {block['kind']} needs pretrained weights")
    has_encoder = block["settings"].get("encoder") is not None
    if start is not None and not has_encoder and (start == "spark" or not is_needed):
        raise SettingsError(f"{key}.pretrained: the model has no encoder; set it to null")


def _settings_of(model: dict[str, Any]) -> Any:
    """The class of a model's settings; None where the kind checks them itself."""
    if model["kind"] not in kinds_in("config/kinds"):
        return None
    return importlib.import_module(f"brainuad.config.kinds.{model['kind']}").Settings


def _check_method(name: str, block: dict[str, Any], models: dict[str, Any]) -> None:
    key = f"config: methods.{name}"
    _check_score(f"{key}.score", block["score"], except_for=SIGNED)
    if block["score"]["kind"] == NORMATIVE:
        compared = block["score"].get("of")
        if not isinstance(compared, dict):
            raise SettingsError(
                f"{key}.score.of: name the score that is compared, such as {{kind: absolute}}"
            )
        _check_score(f"{key}.score.of", compared, except_for=NORMATIVE)
    model = block["model"]
    if model is None:
        for given, needs_model in (
            ("timesteps", block["timesteps"]),
            ("samples", block["samples"] > 1),
        ):
            if needs_model:
                raise SettingsError(f"{key}.{given}: the method has no model; leave them out")
        return
    _check_known(f"{key}.model", [model], models, "model")
    kind = _settings_of(models[model])
    takes_map = takes_own_map(block["score"])
    if kind is not None and takes_map != getattr(kind, "maps_anomalies", False):
        word = "only for a model that makes one itself" if takes_map else f"the one for {model}"
        raise SettingsError(f"{key}.score: own_map is {word}")
    last = timesteps_of_schedule(models[model])
    if block["timesteps"] and last is None and kind is not None:
        raise SettingsError(f"{key}.timesteps: the model {model} has none; leave them out")
    if last is not None and not block["timesteps"]:
        raise SettingsError(
            f"{key}.timesteps: the model {model} reconstructs from timesteps; name them"
        )
    if block["samples"] > 1 and not block["timesteps"]:
        raise SettingsError(
            f"{key}.samples: the model {model} is deterministic, so that all samples would be the "
            "same; leave them out"
        )
    _check_timesteps(f"{key}.timesteps", block["timesteps"], model, last)


def _check_score(key: str, block: dict[str, Any], *, except_for: str) -> None:
    kinds = [kind for kind in kinds_in("scores") if kind != except_for]
    if block.get("kind") not in kinds:
        raise SettingsError(f"{key}.kind: {block.get('kind')!r} is not one of {', '.join(kinds)}")


def timesteps_of_schedule(block: dict[str, Any]) -> int | None:
    """How many timesteps a model's schedule has; None if it has no schedule."""
    schedule = block["settings"].get("schedule")
    last = schedule.get("timesteps") if isinstance(schedule, dict) else None
    return last if type(last) is int else None


def _check_timesteps(key: str, timesteps: Iterable[int], model: str, last: int | None) -> None:
    for timestep in timesteps:
        if last is not None and timestep > last:
            raise SettingsError(
                f"{key}: {timestep} is beyond the {last} timesteps of models.{model}"
            )


def _check_known(key: str, names: Iterable[str], known: Iterable[str], word: str) -> None:
    for name in names:
        if name not in known:
            raise SettingsError(f"{key}: {name!r} is not a {word}{nearest(name, list(known))}")


def _check_labels(key: str, blocks: dict[str, Any]) -> None:
    """Labels must be unique: tables and figures identify rows and columns by them."""
    named: dict[str, str] = {}
    for name, block in blocks.items():
        other = named.setdefault(block["label"], name)
        if other != name:
            raise SettingsError(
                f"config: {key}.{name}.label: {block['label']!r} is also the label of {other}; "
                "give each its own"
            )


def _check_evaluation(values: dict[str, Any]) -> None:
    evaluation = values["evaluation"]
    rows = [*evaluation["methods"], *evaluation["later_methods"]]
    for key in ("methods", "later_methods"):
        _check_known(f"config: evaluation.{key}", evaluation[key], values["methods"], "method")
    for name in evaluation["later_methods"]:
        if name in evaluation["methods"]:
            raise SettingsError(
                f"config: evaluation.later_methods: {name!r} is also in evaluation.methods; name "
                "it once"
            )
    maps_method = evaluation["maps_method"]
    _check_known("config: evaluation.maps_method", [maps_method], values["methods"], "method")
    times_reference = [evaluation["times_reference"]]
    _check_known("config: evaluation.times_reference", times_reference, values["methods"], "method")
    reference = evaluation["comparison"]["reference"]
    if reference not in rows:
        raise SettingsError(
            f"config: evaluation.comparison.reference: {reference!r} is not one of "
            f"evaluation.methods ({', '.join(rows)})"
        )


def _check_healthy_scans(values: dict[str, Any], datasets: dict[str, dict[str, Any]]) -> None:
    """A normative score needs enough healthy validation scans."""
    evaluation = values["evaluation"]
    asked = [*evaluation["methods"], *evaluation["later_methods"], evaluation["maps_method"]]
    normative = [name for name in asked if values["methods"][name]["score"]["kind"] == NORMATIVE]
    for name, block in datasets.items():
        few = block["splits"] is None and block["validation"] < FEWEST_HEALTHY_SCANS
        if normative and block["healthy"] and few:
            raise SettingsError(
                f"config: datasets.{name}.validation: methods.{normative[0]} compares with healthy "
                f"validation scans, and needs at least {FEWEST_HEALTHY_SCANS} of them"
            )


def _check_experiments(values: dict[str, Any]) -> None:
    experiments = values["experiments"]
    for name, kinds in (
        ("timesteps", ("diffusion", "patched_diffusion")),
        ("conditioning", ("diffusion",)),
    ):
        block = experiments[name]
        for model in block["models"]:
            described = values["models"].get(model)
            if described is None or described["kind"] not in kinds:
                raise SettingsError(
                    f"config: experiments.{name}.models: {model!r} is not a model of kind "
                    f"{' or '.join(kinds)}"
                )
            last = timesteps_of_schedule(described)
            key = f"config: experiments.{name}.timesteps"
            _check_timesteps(key, block["timesteps"], model, last)
    for name in ("contrast", "histograms", "postprocessing"):
        key = f"config: experiments.{name}.methods"
        _check_known(key, experiments[name]["methods"], values["methods"], "method")
    for gamma in experiments["histograms"]["gammas"]:
        # Paths contain gamma with six digits.
        if not re.fullmatch(r"[\d.]+", f"{gamma:g}") or float(f"{gamma:g}") != gamma:
            raise SettingsError(
                f"config: experiments.histograms.gammas: {gamma} has too many digits; give at most "
                "six"
            )
    for method in experiments["histograms"]["methods"]:
        block = values["methods"][method]
        if block["model"] is None or takes_own_map(block["score"]):
            raise SettingsError(
                f"config: experiments.histograms.methods: {method!r} has no reconstructions to "
                "compare with the scans; remove it"
            )
    for name in ("conditioning", "histograms"):
        for cohort in experiments[name]["cohorts"]:
            dataset = cohort.rpartition("_")[0]
            # A data set that is null, or lacks this modality, has nothing to show.
            if dataset not in values["datasets"]:
                raise SettingsError(
                    f"config: experiments.{name}.cohorts: {cohort!r} is not a data set with a "
                    "modality (such as ixi_t2)"
                )
            block = values["datasets"][dataset]
            if name == "conditioning" and block is not None and not block["healthy"]:
                raise SettingsError(
                    f"config: experiments.conditioning.cohorts: {cohort!r} is not of a healthy "
                    "data set"
                )
