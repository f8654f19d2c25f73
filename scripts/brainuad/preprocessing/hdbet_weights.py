"""Read the weights of HD-BET without running code from a downloaded file.

nnU-Net's checkpoint is a pickle, which can contain any program, and nnU-Net would run it. Here the
tensors are read without running anything, and a new file gets only what a prediction needs.
"""

import io
import json
import pickle
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from brainuad.io.errors import SettingsError
from brainuad.io.formats import what_pointer_file

PLANS = "plans.json"
DATASET = "dataset.json"
CHECKPOINT = "fold_all/checkpoint_final.pth"
ADVICE = "use the unchanged release_v1.5.0 of HD-BET"

# ASSUME: a checkpoint contains only tensors, and NumPy scalars under their old or new name, as
# nnU-Net's trainer writes it; the release itself could not be tried.
SCALAR = np._core.multiarray.scalar
SCALAR_NAMES = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
NUMBER_TYPES = {type(np.dtype(code)) for code in np.typecodes["All"] if code not in "OSUVMm"}
HARMLESS: list[Callable | tuple[Callable, str]] = [
    *((SCALAR, name) for name in SCALAR_NAMES),
    np.dtype,
    *NUMBER_TYPES,
]

# nnU-Net imports the names in its plans. Allowed are classes directly in these modules, so that no
# name can reach another module through an import of theirs.
NETWORKS = re.compile(r"dynamic_network_architectures\.architectures\.\w+\.[A-Z]\w*")
LAYERS = re.compile(r"torch\.nn(\.modules\.\w+)?\.[A-Z]\w*")

# A folder, or a folder in a zip.
Tree = Path | zipfile.Path


def open_release(source: Path) -> Tree:
    """The folder of the weights in a folder or zip, at its top or one folder deeper.

    Raises SettingsError for another kind of file, and if a part is missing.
    """
    try:
        top: Tree = source if source.is_dir() else zipfile.Path(source)
        folders = [top, *sorted((f for f in top.iterdir() if f.is_dir()), key=lambda f: f.name)]
    except (OSError, zipfile.BadZipFile) as error:
        if pointer := what_pointer_file(source):
            raise SettingsError(f"{source}: {pointer}") from None
        raise SettingsError(
            f"{source}: is neither a folder nor a zip that can be read ({error}); {ADVICE}"
        ) from error
    release = next((folder for folder in folders if (folder / PLANS).is_file()), top)
    missing = [name for name in (PLANS, DATASET, CHECKPOINT) if not (release / name).is_file()]
    if missing:
        raise SettingsError(f"{source}: holds no {' and no '.join(missing)}; {ADVICE}")
    return release


def copy_as_numbers(release: Tree, target: Path) -> None:
    """Write the folder `target` in HD-BET's format, with a checkpoint of tensors and plain values.

    Raises SettingsError for a part that is damaged, that contains anything but numbers, or that
    names anything to import but networks and layers. The same release gives the same bytes.
    """
    plans, dataset = (_read_json(release / name) for name in (PLANS, DATASET))
    _check_plans(plans, name=str(release / PLANS))
    checkpoint = _read_checkpoint(release / CHECKPOINT)
    if checkpoint["init_args"]["configuration"] not in plans["configurations"]:
        raise SettingsError(
            f"{release / CHECKPOINT}: was trained with the plans "
            f"{checkpoint['init_args']['configuration']!r}, which {PLANS} lacks; {ADVICE}"
        )
    (target / CHECKPOINT).parent.mkdir(parents=True)
    for name, content in ((PLANS, plans), (DATASET, dataset)):
        (target / name).write_text(json.dumps(content, indent=4), encoding="utf-8")
    torch.save(checkpoint, target / CHECKPOINT)


def _read(file: Tree) -> bytes:
    try:
        return file.read_bytes()
    except Exception as error:  # zipfile, zlib, bz2 and lzma have errors of their own
        raise SettingsError(f"{file}: cannot be read ({error}); fetch it again") from error


def _read_json(file: Tree) -> dict:
    try:
        content = json.loads(_read(file))
    except ValueError as error:
        raise SettingsError(f"{file}: is not JSON ({error}); {ADVICE}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"{file}: is not a JSON object; {ADVICE}")
    return content


def _check_plans(plans: dict, *, name: str) -> None:
    try:
        imports = list(_imports(plans["configurations"]))
    except (AttributeError, KeyError, TypeError) as error:
        raise SettingsError(f"{name}: is not a plan of nnU-Net ({error}); {ADVICE}") from error
    for kind, pattern, value in imports:
        if not (isinstance(value, str) and pattern.fullmatch(value)):
            raise SettingsError(
                f"{name}: names {value!r} as {kind}, which is not allowed; {ADVICE}"
            )


def _imports(configurations: dict) -> Iterator[tuple[str, re.Pattern, Any]]:
    """The imports by which nnU-Net builds the networks: purpose, allowed pattern, and name."""
    for configuration in configurations.values():
        # Plans of early versions lack this key: they choose between two networks.
        if "architecture" in configuration:
            architecture = configuration["architecture"]
            yield "the network", NETWORKS, architecture["network_class_name"]
            for key in architecture["_kw_requires_import"]:
                value = architecture["arch_kwargs"][key]
                if value is not None:
                    yield key, LAYERS, value


def _read_checkpoint(file: Tree) -> dict[str, Any]:
    content = io.BytesIO(_read(file))
    try:
        with torch.serialization.safe_globals(HARMLESS):
            found = torch.load(content, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        match = re.search(r"GLOBAL (\S+)", str(error))
        strange = match[1] if match else "something else"
        raise SettingsError(
            f"{file}: contains {strange}, not only numbers; nothing of it was run; {ADVICE}"
        ) from error
    except Exception as error:  # a damaged pickle may fail anywhere
        reason = " ".join(str(error).split())[:200]
        raise SettingsError(f"{file}: is damaged ({reason}); fetch it again") from error
    try:
        weights = {str(key): value.clone() for key, value in found["network_weights"].items()}
        axes = found.get("inference_allowed_mirroring_axes")
        return {
            "network_weights": weights,
            "trainer_name": str(found["trainer_name"]),
            "init_args": {"configuration": str(found["init_args"]["configuration"])},
            "inference_allowed_mirroring_axes": None if axes is None else tuple(map(int, axes)),
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"{file}: is not an nnU-Net checkpoint ({error}); {ADVICE}") from error
