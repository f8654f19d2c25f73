"""Weights files, which carry the settings they were built from, and checkpoints to resume from."""

import errno
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from brainuad.io.errors import SettingsError
from brainuad.io.job import log, replacing

WEIGHTS_KEYS = {"kind", "settings", "state", "training"}
DIFFERENCES_SHOWN = 6
# The disk, the user's quota, or the largest file allowed.
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_weights(
    path: Path,
    *,
    kind: str,
    settings: dict[str, Any],
    state: Mapping[str, Tensor],
    training: dict[str, Any],
) -> None:
    """Write what is needed to rebuild a network: plain values and tensors, atomically.

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
        raise SettingsError(f"{path}: not a weights file of this workflow; train the model anew")
    return content


def read_backbone(path: Path) -> Mapping[str, Tensor]:
    """The state of a pretrained backbone: a file of `write_weights`, or a bare dict of tensors."""
    content = _load(path)
    state = content["state"] if isinstance(content, dict) and "state" in content else content
    if not isinstance(state, dict) or not all(isinstance(item, Tensor) for item in state.values()):
        raise SettingsError(f"{path}: expected a dict of tensors, the state of a backbone")
    return state


def _save(content: Any, path: Path) -> None:
    """Write a file that is on the disk, not just on its way there, when this returns.

    Raises SettingsError where there is no space. Half a file is not left behind.
    """
    try:
        with open(path, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
    except Exception as error:
        path.unlink(missing_ok=True)
        # Torch's own error tells of positions in the file, and what the disk said lies behind it.
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError) or cause.errno not in NO_SPACE:
            raise
        raise SettingsError(
            f"{path}: cannot be written ({cause.strerror}); free some space and run again: "
            "a training goes on from its last checkpoint"
        ) from error


def _load(path: Path) -> Any:
    # The reason is any of a dozen exceptions, and the user can only give another file.
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SettingsError(f"{path}: cannot be read as weights ({reason})") from error


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], *, source: Path) -> None:
    """Load a state that must have just the network's names and shapes, else SettingsError."""
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
    """What a checkpoint must agree on to be resumed: each value by its name, as short text.

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
    """What differs between two fingerprints: some values in full, of the others where they are."""
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
    """The state of a training on disk, replaced as a whole: there is always one that is complete.

    It is no declared output of a rule, since Snakemake deletes those before it starts a job anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # A fixed name: what a killed run left half-written is overwritten by the next.
        self._partial = path.with_name(f"{path.name}.partial")

    def save(self, identity: dict[str, str], state: dict[str, Any]) -> None:
        """Write the state and take the place of the one before, which stays where that fails.

        Raises SettingsError where there is no space.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        _save({"identity": identity, "state": state}, self._partial)
        os.replace(self._partial, self.path)

    def load(self, identity: dict[str, str], device: torch.device) -> dict[str, Any] | None:
        """The state saved, or None where there is none, or one of another identity.

        What is refused is said in one line of the log, with the values that differ. Raises OSError
        where there is one that cannot be opened, and OutOfMemoryError where the device has no room
        for it: to start anew would replace one that is good.
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
                log(f"{self.path.name} cannot be read ({type(error).__name__}): starting anew")
                return None
        if differences := _differences(saved, identity):
            log(f"{self.path.name} is of another training, starting anew: {differences}")
            return None
        return state

    def remove(self) -> None:
        """Delete it, once the outputs that it leads to are written."""
        self.path.unlink(missing_ok=True)
        self._partial.unlink(missing_ok=True)
