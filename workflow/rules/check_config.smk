"""The config is checked before anything else: one line names the key that is wrong."""

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from brainuad.config.paths import check_root, why_not_encoded, why_unusable, with_plain_paths
from brainuad.datasets.layouts.files import check_patterns

PROJECT = Path(workflow.basedir)
LIBRARY = PROJECT / "scripts" / "brainuad"


def yaml_of(*parts):
    """The content of one of the project's own YAML files."""
    return yaml.safe_load(PROJECT.joinpath(*parts).read_text(encoding="utf-8"))


SCHEMA = yaml_of("workflow", "schemas", "config.schema.yaml")
DATASET_DEFAULTS = {
    key: value["default"]
    for key, value in SCHEMA["$defs"]["dataset"]["properties"].items()
    if "default" in value
}
ENSEMBLE = "_ens"

if reason := why_unusable(str(PROJECT)):
    raise WorkflowError(f"the folder of this workflow, {PROJECT}, {reason}")


def in_order_of(base, values):
    """The same values with the keys in the order of `base`, and what it has not behind them.

    A config named on the command line comes first, and would turn the order of keys. To Snakemake a
    param with its keys in another order is another param, and all that hangs on it would run again.
    """
    if not isinstance(base, dict) or not isinstance(values, dict):
        return values
    keys = [
        *(key for key in base if key in values),
        *(key for key in values if key not in base),
    ]
    return {key: in_order_of(base.get(key), values[key]) for key in keys}


def check_config(values):
    """Stop with one line that names the key, where the config breaks the schema."""
    error = best_match(Draft202012Validator(SCHEMA).iter_errors(values))
    if error is None:
        return
    key = ".".join(str(part) for part in error.absolute_path) or "top level"
    if "password" in error.absolute_path:
        # The message of the schema would repeat a password that was written here.
        raise WorkflowError(
            f"config: {key}: give {{file: path}} or {{environment: name of a variable}}; the password "
            "itself does not belong in a config"
        )
    raise WorkflowError(f"config: {key}: {reason_of(error)}. See config/README.md.")


def reason_of(error):
    """What breaks the schema, in words that say what to write instead."""
    if "description" in error.schema:
        return f"{error.instance!r} is none; expected {error.schema['description']}"
    wants_text = error.validator == "type" and "string" in error.validator_value
    if wants_text and not isinstance(error.instance, (dict, list)) and error.instance is not None:
        return f"{error.instance} is no text to YAML; put it in quotes, as it is to be read"
    if error.validator == "type" and "number" in error.validator_value:
        # To YAML 1e-4 is a word.
        return f"{error.instance!r} is not a number to YAML; write it with a point, as in 1.0e-4"
    return error.message


def check_references(values):
    """Stop where one part of the config needs what another part does not have."""
    blocks = {
        name: DATASET_DEFAULTS | block
        for name, block in values["datasets"].items()
        if block is not None
    }
    for name, block in blocks.items():
        check_dataset(name, block, values)
        or_stop(check_root, name, block["root"])
    for modality in sorted(
        {modality for block in blocks.values() for modality in block["modalities"]}
    ):
        healthy = [
            name
            for name, block in blocks.items()
            if block["healthy"] and modality in block["modalities"]
        ]
        if not healthy:
            raise WorkflowError(
                f"config: datasets: there is no healthy one to train on in {modality} (ixi)"
            )
        if len(healthy) > 1:
            raise WorkflowError(
                f"config: datasets: {' and '.join(healthy)} are both healthy and in {modality}; one "
                "is trained on, set the other to null or take the modality from it"
            )
    if all(block["healthy"] for block in blocks.values()):
        raise WorkflowError("config: datasets: there are no patients to look at")
    local = values["hdbet"]["weights"]["local"]
    if local is not None and not Path(local).exists():
        raise WorkflowError(f"config: hdbet.weights.local: there is no {local!r}")
    low, high = values["preprocessing"]["normalization"]["percentiles"]
    if low >= high:
        raise WorkflowError(
            f"config: preprocessing.normalization.percentiles: {low} is not below {high}"
        )
    size, factor = (
        values["preprocessing"]["normalization"][key] for key in ("size", "downsampling")
    )
    if undivided := [edge for edge in size if edge % factor]:
        raise WorkflowError(
            f"config: preprocessing.normalization.size: {undivided[0]} does not divide by "
            f"downsampling, {factor}"
        )
    levels = ("iterations", "shrink_factors", "smoothing_sigmas")
    registration = {key: len(values["preprocessing"]["registration"][key]) for key in levels}
    if len(set(registration.values())) > 1:
        shown = ", ".join(f"{key} {length}" for key, length in registration.items())
        raise WorkflowError(
            f"config: preprocessing.registration: has an entry for each level, but {shown}"
        )
    for name, block in values["methods"].items():
        check_method(name, block, values["evaluation"])
    check_experiments(values)
    rows = {
        "evaluation.methods": values["evaluation"]["methods"],
        "evaluation.maps_method": [values["evaluation"]["maps_method"]],
    } | {
        f"experiments.{name}.methods": block["methods"]
        for name, block in values["experiments"].items()
    }
    for key, methods in rows.items():
        for method in methods:
            if method.removesuffix(ENSEMBLE) not in values["methods"]:
                known = ", ".join(values["methods"])
                raise WorkflowError(f"config: {key}: {method!r} is no method; known are {known}")
    compared = values["evaluation"]["comparison"]["method"]
    if compared not in values["evaluation"]["methods"]:
        raise WorkflowError(
            f"config: evaluation.comparison.method: {compared!r} is not one of evaluation.methods "
            f"({', '.join(values['evaluation']['methods'])})"
        )


def check_dataset(name, block, values):
    """Stop where a data set's block does not fit its layout, itself, or the rest of the config."""
    key = f"config: datasets.{name}"
    rules = {"all", *(path.stem for path in (PROJECT / "scripts").glob("*.py"))}
    if name in rules:
        raise WorkflowError(f"{key}: a rule has this name; give the data set another")
    if name in ("test", "average"):
        raise WorkflowError(f"{key}: tables use this name; give the data set another")
    layouts = sorted(path.stem for path in (LIBRARY / "datasets" / "layouts").glob("[!_]*.py"))
    if block["layout"] not in layouts:
        raise WorkflowError(f"{key}.layout: {block['layout']!r} is not one of {', '.join(layouts)}")
    for own, layout in (("files", "files"), ("table", "table"), ("part", "preprocessed")):
        if (block[own] is not None) != (block["layout"] == layout):
            word = "needs" if block["layout"] == layout else "takes no"
            raise WorkflowError(f"{key}: layout {block['layout']} {word} {own!r}")
    if block["files"] is not None:
        try:
            check_patterns(block["files"])
        except SettingsError as error:
            raise WorkflowError(f"{key}.{error}") from None
        scored = not block["healthy"] and block["lesion_masks"]
        for part in [*block["modalities"], *(["seg"] if scored else [])]:
            if part not in block["files"]:
                raise WorkflowError(f"{key}.files: there is no pattern for {part}")
    if block["healthy"]:
        if block["splits"] is None and not (block["validation"] and block["test"]):
            raise WorkflowError(f"{key}: a healthy data set needs 'validation' and 'test'")
    elif len(block["modalities"]) > 1:
        raise WorkflowError(
            f"{key}.modalities: patients have one; give the other modality a block of its own"
        )
    elif block["test"] is not None:
        raise WorkflowError(f"{key}.test: of patients, all that are not for validation are tested")
    elif block["lesion_masks"] and block["splits"] is None and not block["validation"]:
        raise WorkflowError(f"{key}: the threshold needs 'validation' subjects")
    elif not block["lesion_masks"] and (block["validation"] or block["splits"]):
        raise WorkflowError(f"{key}: without lesion masks there is nothing to validate or split")
    raw = block["layout"] != "preprocessed"
    if raw and block["skull_stripping"] == "template" and values["head_template"] is None:
        raise WorkflowError(
            f"{key}.skull_stripping is 'template', which needs head_template: {{image, brain_mask}}"
        )


def check_method(name, block, evaluation):
    """Stop where a method's block does not fit the code, itself, or the evaluation."""
    # SparK pretrains an encoder and reconstructs nothing.
    files = (LIBRARY / "models").glob("[!_]*.py")
    kinds = sorted(path.stem for path in files if path.stem != "spark")
    if block["kind"] not in kinds:
        raise WorkflowError(
            f"config: methods.{name}.kind: {block['kind']!r} is not one of {', '.join(kinds)}"
        )
    if block["pretrained"] is not None and block["settings"].get("encoder") is None:
        raise WorkflowError(f"config: methods.{name}.pretrained: there is no encoder to start")
    training = block["training"]
    if training is not None and training["warmup_steps"] >= training["steps"]:
        raise WorkflowError(
            f"config: methods.{name}.training.warmup_steps: {training['warmup_steps']} is not below "
            f"the {training['steps']} steps"
        )
    if (last := timesteps_of_schedule(block)) is not None:
        for key in ("timesteps", "ensemble_timesteps"):
            if max(evaluation[key]) > last:
                raise WorkflowError(
                    f"config: evaluation.{key}: {max(evaluation[key])} is beyond the {last} "
                    f"timesteps of methods.{name}"
                )


def timesteps_of_schedule(block):
    """How many timesteps a method's schedule has; None where the settings do not say it (yet)."""
    schedule = block["settings"].get("schedule")
    last = schedule.get("timesteps") if isinstance(schedule, dict) else None
    return last if type(last) is int else None


def check_experiments(values):
    """Stop where an experiment asks for what its methods or scans do not have."""
    experiments = values["experiments"]
    for name, kinds in (
        ("timesteps", ("diffusion", "patched_diffusion")),
        ("conditioning", ("diffusion",)),
    ):
        for method in experiments[name]["methods"]:
            block = values["methods"].get(method)
            if block is None or block["kind"] not in kinds:
                raise WorkflowError(
                    f"config: experiments.{name}.methods: {method!r} is no method of kind "
                    f"{' or '.join(kinds)}"
                )
            last = timesteps_of_schedule(block)
            highest = max(experiments[name]["timesteps"])
            if last is not None and highest > last:
                raise WorkflowError(
                    f"config: experiments.{name}.timesteps: {highest} is beyond the {last} "
                    f"timesteps of methods.{method}"
                )
    for name in ("conditioning", "histograms"):
        for scans in experiments[name]["scans"]:
            dataset, _, modality = scans.rpartition("_")
            block = values["datasets"].get(dataset)
            # A data set that is null, or has not this modality, has nothing to show.
            if dataset not in values["datasets"] or modality not in ("t1", "t2"):
                raise WorkflowError(
                    f"config: experiments.{name}.scans: {scans!r} is no data set with a modality "
                    "(such as ixi_t2)"
                )
            if name == "conditioning" and block is not None and not block["healthy"]:
                raise WorkflowError(
                    f"config: experiments.conditioning.scans: {scans!r} is not of a healthy data set"
                )


check_config(config)
config = in_order_of(yaml_of("config", "config.yaml"), config)
config = or_stop(with_plain_paths, config)
check_references(config)
