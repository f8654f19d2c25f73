"""Weights files, which contain the settings of their network, and checkpoints to resume from."""

import errno
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from brainuad.io.errors import SettingsError
from brainuad.io.formats import what_pointer_file
from brainuad.io.job import log, replacing

WEIGHTS_KEYS = {"kind", "settings", "state", "training"}
DIFFERENCES_SHOWN = 6
# The disk is full, or the user's quota or the largest file size is reached.
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_weights(
    path: Path,
    *,
    kind: str,
    settings: dict[str, Any],
    state: Mapping[str, Tensor],
    training: dict[str, Any],
) -> None:
    """Write plain values and tensors from which a network can be rebuilt, atomically.

    The same content gives the same bytes.
    """
    content = {
        "kind": kind,
        "settings": settings,
        "state": {name: tensor.detach().cpu() for name, tensor in state.items()},
        "training": training,
    }
    with replacing(path) as temporary:
        _save(content, temporary)


def read_weights(path: Path) -> dict[str, Any]:
    """Read a file of `write_weights`, tensors on the CPU; SettingsError for another file."""
    content = _load(path)
    if not isinstance(content, dict) or set(content) != WEIGHTS_KEYS:
        raise SettingsError(f"{path}: not a weights file of this workflow; train the model again")
    return content


def read_backbone(path: Path) -> Mapping[str, Tensor]:
    """The state of a pretrained backbone: a file of `write_weights`, or a bare dict of tensors."""
    content = _load(path)
    state = content["state"] if isinstance(content, dict) and "state" in content else content
    if not isinstance(state, dict) or not all(isinstance(item, Tensor) for item in state.values()):
        raise SettingsError(f"{path}: expected a dict of tensors, the state of a backbone")
    return state


def _save(content: Any, path: Path) -> None:
    """Write a file and wait until it is on the disk.

    Raises SettingsError if there is no space. An incomplete file is removed.
    """
    try:
        with open(path, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
    except Exception as error:
        path.unlink(missing_ok=True)
        # Torch's own error is about positions in the file; its context is the error of the disk.
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError) or cause.errno not in NO_SPACE:
            raise
        raise SettingsError(
            f"{path}: cannot be written ({cause.strerror}); free some space and run again: "
            "a training continues from its last checkpoint"
        ) from error


def _load(path: Path) -> Any:
    # Many exceptions are possible, and in any case the user can only give another file.
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        if pointer := what_pointer_file(path):
            raise SettingsError(f"{path}: {pointer}") from None
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SettingsError(f"{path}: cannot be read as weights ({reason})") from error


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], *, source: Path) -> None:
    """Load a state; SettingsError if its names or shapes are not exactly those of the network."""
    expected = network.state_dict()
    problems = [
        f"{len(names)} {problem} (first {names[0]})"
        for problem, names in (
            ("missing", [name for name in expected if name not in state]),
            ("unknown", [name for name in state if name not in expected]),
            (
                "of another shape",
                [
                    name
                    for name in expected
                    if name in state and state[name].shape != expected[name].shape
                ],
            ),
        )
        if names
    ]
    if problems:
        raise SettingsError(
            f"{source}: weights of another network: {', '.join(problems)}; "
            "make the settings of both the same"
        )
    network.load_state_dict(state, strict=True)


def fingerprint(values: Mapping[str, Any]) -> dict[str, str]:
    """The values that must be equal for a checkpoint to be resumed, as short texts by name.

    Settings become dotted names; a tensor, or a state of tensors, becomes a digest of its content.
    """
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Tensor):
            flat[name] = _digest({name: value})
        elif isinstance(value, Mapping) and any(
            isinstance(item, Tensor) for item in value.values()
        ):
            flat[name] = _digest(value)
        elif isinstance(value, Mapping):
            inner = fingerprint(value)
            flat.update({f"{name}.{key}": text for key, text in inner.items()})
        else:
            flat[name] = repr(value)
    return flat


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in tensors.items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()[:16]


def _differences(saved: dict[str, str], current: dict[str, str]) -> str:
    """The differences of two fingerprints: the first ones in full, and the parts with more."""
    names = [
        name
        for name in sorted(saved.keys() | current.keys())
        if saved.get(name) != current.get(name)
    ]
    shown, others = names[:DIFFERENCES_SHOWN], names[DIFFERENCES_SHOWN:]
    parts = [
        f"{name} was {saved.get(name, 'absent')}, is {current.get(name, 'absent')}"
        for name in shown
    ]
    if others:
        places = sorted({name.partition(".")[0] for name in others})
        parts.append(f"and {len(others)} more in {', '.join(places)}")
    return "; ".join(parts)


class Checkpoint:
    """The state of a training on disk, replaced as a whole, so that a complete one always exists.

    It is not a declared output of a rule, since Snakemake deletes outputs before it starts a job.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # With a fixed name, the next run overwrites an incomplete file of a killed run.
        self._partial = path.with_name(f"{path.name}.partial")

    def save(self, identity: dict[str, str], state: dict[str, Any]) -> None:
        """Write the state and replace the one before, which remains if writing fails.

        Raises SettingsError if there is no space.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        _save({"identity": identity, "state": state}, self._partial)
        os.replace(self._partial, self.path)

    def load(self, identity: dict[str, str], device: torch.device) -> dict[str, Any] | None:
        """The saved state; None if there is none, or one of another identity.

        One line of the log says why a checkpoint is refused, with the values that differ. Raises
        OSError if the file cannot be opened, and OutOfMemoryError if it does not fit on the device:
        starting again would replace a good checkpoint.
        """
        if not self.path.exists():
            return None
        with open(self.path, "rb") as file:
            try:
                content = torch.load(file, map_location=device, weights_only=True)
                saved, state = content["identity"], content["state"]
            except (torch.OutOfMemoryError, torch.AcceleratorError):
                raise
            except Exception as error:
                log(f"{self.path.name} cannot be read ({type(error).__name__}): starting again")
                return None
        if differences := _differences(saved, identity):
            log(f"{self.path.name} is of another training, starting again: {differences}")
            return None
        return state

    def remove(self) -> None:
        """Delete it, after the outputs of the training were written."""
        self.path.unlink(missing_ok=True)
        self._partial.unlink(missing_ok=True)
