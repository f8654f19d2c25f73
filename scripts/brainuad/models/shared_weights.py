"""Weights that can be shared, as safetensors: only numbers and text, and no code."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from brainuad.io.errors import SettingsError
from brainuad.io.job import replacing

SUFFIX = ".safetensors"
# A single entry of the header, since the library writes several in random order.
ENTRY = "brainuad"


def write_shared_weights(
    path: Path, *, kind: str, settings: dict[str, Any], state: Mapping[str, Tensor]
) -> None:
    """Write a network's kind, settings and state, atomically; equal content gives equal bytes."""
    header = {ENTRY: json.dumps({"kind": kind, "settings": settings}, sort_keys=True)}
    # The format has no tensors that share memory.
    apart = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}
    with replacing(path) as temporary:
        save_file(apart, temporary, metadata=header)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of any safetensors file, on the CPU; SettingsError for another file."""
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise SettingsError(
            f"{path}: cannot be read as safetensors ({error}); give weights in this format"
        ) from error


def read_shared_weights(path: Path) -> dict[str, Any]:
    """Kind, settings and state of a file of `write_shared_weights`; SettingsError for another."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            header = json.loads((file.metadata() or {})[ENTRY])
            names = file.keys()
            return header | {"state": {name: file.get_tensor(name) for name in names}}
    except (SafetensorError, KeyError, ValueError) as error:
        raise SettingsError(
            f"{path}: not the weights of a bundle of this workflow ({error}); get the bundle again"
        ) from error
