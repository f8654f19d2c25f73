"""What the rules share: the sets that the config describes, wildcards, and the code behind a rule."""

import ast
from functools import cache

# Keys that a data set's block leaves out have the defaults of the schema.
DATASETS = {
    name: DATASET_DEFAULTS | block
    for name, block in config["datasets"].items()
    if block is not None
}
HEALTHY = [name for name, block in DATASETS.items() if block["healthy"]]
PATIENTS = [name for name in DATASETS if name not in HEALTHY]
# Patients with lesion masks are scored; those without get anomaly maps.
LESION = [name for name in PATIENTS if DATASETS[name]["lesion_masks"]]
PREPROCESSED = [name for name, block in DATASETS.items() if block["layout"] == "preprocessed"]
RAW = [name for name in DATASETS if name not in PREPROCESSED]
HDBET = [name for name in RAW if DATASETS[name]["skull_stripping"] == "hdbet"]
MODALITIES = sorted({modality for block in DATASETS.values() for modality in block["modalities"]})
FOLDS = list(range(config["folds"]))
METHODS = config["evaluation"]["methods"]
EXPERIMENTS = config["experiments"]
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
            *(method for block in EXPERIMENTS.values() for method in block["methods"]),
        )
    }
]
TRAINED = [name for name in MODELS if config["methods"][name]["training"] is not None]
BOOTSTRAP = {**config["evaluation"]["bootstrap"], "seed": config["seed"]}
# What `gpu` says changes nothing on a processor, and reruns nothing there.
PROCESSOR = {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True}
DEVICE = PROCESSOR if config["device"] == "cpu" else {"name": "cuda", **config["gpu"]}


def growing(amount):
    """An amount of memory or time for the first attempt; each retry asks for as much again."""

    def grown(wildcards, attempt):
        return attempt * amount

    return grown


def one_of(names):
    """The pattern of a wildcard that is one of these names, or none where there are none."""
    return "|".join(names) or "(?!)"


wildcard_constraints:
    dataset=one_of(DATASETS),
    modality="t1|t2",
    batch=r"\d+",
    fold=r"\d+",
    model=one_of(config["methods"]),
    method="|".join(f"{name}({ENSEMBLE})?" for name in config["methods"]),


# ----------------------------------------------------------------------------------------------
# Code: a change of a library module reruns the rules whose script imports it, and no others.


@cache
def imports_of(file):
    """The library files that a Python file imports, directly or through one another."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
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


def with_layout_code(script):
    """A function that gives the library behind a script, with the reader of the data set's layout."""

    def files(wildcards):
        layout = DATASETS[wildcards.dataset]["layout"]
        return library_of(script, LIBRARY / "datasets" / "layouts" / f"{layout}.py")

    return files


def training_code(wildcards):
    """The library behind train_model, with the file of this model's kind."""
    return library_of("train_model", method_file(wildcards.model))


def method_file(model):
    return LIBRARY / "models" / f"{config['methods'][model]['kind']}.py"
