"""What the rules share: checked config, wildcards, and functions from wildcards to files."""

import ast
import csv
import hashlib
from functools import cache
from pathlib import Path

import snakemake
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError

PROJECT = Path(workflow.basedir)
LIBRARY = PROJECT / "scripts" / "brainuad"


def check_config(values):
    """Stop with one line that names the key, where the config breaks the schema."""
    schema = yaml.safe_load((PROJECT / "workflow" / "schemas" / "config.schema.yaml").read_text())
    error = best_match(Draft202012Validator(schema).iter_errors(values))
    if error is None:
        return
    key = ".".join(str(part) for part in error.absolute_path) or "top level"
    raise WorkflowError(f"config: {key}: {error.message}. See config/README.md.")


def check_references(values):
    """Stop where one part of the config needs what another part does not have."""
    for name, block in values["datasets"].items():
        if block is None or block["skull_stripping"] != "template":
            continue
        if values["head_template"] is None:
            raise WorkflowError(
                f"config: datasets.{name}.skull_stripping is 'template', which needs "
                "head_template: {image, brain_mask}"
            )
    for name, block in values["datasets"].items():
        if block is not None and values["phantoms"] is not None and name not in values["phantoms"]:
            raise WorkflowError(
                f"config: phantoms has no {name}; give its size, or set datasets.{name} to null"
            )
    if not any(block and block["healthy"] for block in values["datasets"].values()):
        raise WorkflowError("config: datasets: there is no healthy one to train on (ixi)")
    if not any(block and not block["healthy"] for block in values["datasets"].values()):
        raise WorkflowError("config: datasets: there is none with lesions to score")
    low, high = values["preprocessing"]["normalization"]["percentiles"]
    if low >= high:
        raise WorkflowError(
            f"config: preprocessing.normalization.percentiles: {low} is not below {high}"
        )
    for name, block in values["methods"].items():
        check_method(name, block, values["evaluation"])
    rows = {
        "evaluation.methods": values["evaluation"]["methods"],
        "evaluation.maps_method": [values["evaluation"]["maps_method"]],
        "experiments.contrast.methods": values["experiments"]["contrast"]["methods"],
    }
    for key, methods in rows.items():
        for method in methods:
            if method.removesuffix(ENSEMBLE) not in values["methods"]:
                known = ", ".join(values["methods"])
                raise WorkflowError(f"config: {key}: {method!r} is no method; known are {known}")


def check_method(name, block, evaluation):
    """Stop where a method's block does not fit the code, itself, or the evaluation."""
    kinds = sorted(path.stem for path in (LIBRARY / "methods").glob("[!_]*.py"))
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
    if "schedule" in block["settings"]:
        last = block["settings"]["schedule"]["timesteps"]
        for key in ("timesteps", "ensemble_timesteps"):
            if max(evaluation[key]) > last:
                raise WorkflowError(
                    f"config: evaluation.{key}: {max(evaluation[key])} is beyond the {last} "
                    f"timesteps of methods.{name}"
                )


ENSEMBLE = "_ens"

check_config(config)
check_references(config)

DATASETS = {name: block for name, block in config["datasets"].items() if block is not None}
HEALTHY = [name for name, block in DATASETS.items() if block["healthy"]]
LESION = [name for name, block in DATASETS.items() if not block["healthy"]]
MODALITIES = sorted({modality for block in DATASETS.values() for modality in block["modalities"]})
FOLDS = list(range(config["folds"]))
METHODS = config["evaluation"]["methods"]
# The models behind the tables' rows, the maps and the experiments: what is described but not asked
# for is not trained.
MODELS = [
    name
    for name in config["methods"]
    if name
    in {
        method.removesuffix(ENSEMBLE)
        for method in (
            *METHODS,
            config["evaluation"]["maps_method"],
            *config["experiments"]["contrast"]["methods"],
        )
    }
]
TRAINED = [name for name in MODELS if config["methods"][name]["training"] is not None]
BOOTSTRAP = {**config["evaluation"]["bootstrap"], "seed": config["seed"]}


wildcard_constraints:
    dataset="|".join(DATASETS),
    modality="t1|t2",
    batch=r"\d+",
    fold=r"\d+",
    model="|".join(config["methods"]),
    method="|".join(f"{name}({ENSEMBLE})?" for name in config["methods"]),


# ----------------------------------------------------------------------------------------------
# Code: a change of a library module reruns the rules whose script imports it, and no others.


@cache
def imports_of(file):
    """The library files that a Python file imports, directly or through one another."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [
                node.module,
                *(f"{node.module}.{alias.name}" for alias in node.names),
            ]
        else:
            continue
        found.update(path for name in names for path in module_files(name))
    found.discard(file)
    return found


def module_files(name):
    """The file of a module of the library, or none."""
    if not name.startswith("brainuad"):
        return []
    path = LIBRARY.parent.joinpath(*name.split("."))
    return [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()]


@cache
def library_of(script, *plugins):
    """Every library file that decides what a script makes; plugins are modules found by name."""
    files = set()
    waiting = [PROJECT / "scripts" / f"{script}.py", *plugins]
    while waiting:
        file = waiting.pop()
        if file not in files:
            files.add(file)
            waiting.extend(imports_of(file))
    return sorted(str(file) for file in files)


def source_code(wildcards):
    """The library behind list_subjects, with the reader of this data set's layout."""
    return library_of("list_subjects", LIBRARY / "sources" / f"{wildcards.dataset}.py")


def training_code(wildcards):
    """The library behind train_model, with the file of this model's kind."""
    return library_of("train_model", method_file(wildcards.model))


def method_file(model):
    return LIBRARY / "methods" / f"{config['methods'][model]['kind']}.py"
