"""A checkpoint is whole or the one before, also on a full disk, and says why it is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import brainuad
from brainuad.io.errors import SettingsError
from brainuad.models.checkpoints import Checkpoint, fingerprint, read_weights, write_weights

PROCESSOR = torch.device("cpu")
IDENTITY = {"seed": "1"}
# The sizes at which a file stops to grow: before, inside and after the tensors, whose 4 MB torch
# writes past the file's buffer, and a few bytes, which are still in it when torch is done.
LIMITS = [0, 100, 1_000_000, 4_000_000, 4_000_600]

ON_A_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import torch
from brainuad.io import job
from brainuad.models.checkpoints import Checkpoint, write_weights

folder = Path(sys.argv[1])
# A full disk, as far as a process can tell: a write fails, at a size that is given.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
state = {"network": {"weight": torch.full((1000, 1000), 2.0)}}
for limit in map(int, sys.argv[2:]):
    for name in ("checkpoint", "weights"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            if name == "checkpoint":
                Checkpoint(folder / "checkpoint.pt").save({"seed": "1"}, state)
            else:
                write_weights(
                    folder / "weights.pt",
                    kind="line",
                    settings={},
                    state=state["network"],
                    training={},
                )
            outcome = "written"
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        print(limit, name, outcome)
"""


def state(value):
    return {"network": {"weight": torch.full((1000, 1000), value)}}


def saved_value(path):
    return float(Checkpoint(path).load(IDENTITY, PROCESSOR)["network"]["weight"].mean())


def contents(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_full_disk_leaves_the_last_good_checkpoint_and_one_line(tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    checkpoint.save(IDENTITY, state(1.0))
    weights = {"kind": "line", "settings": {}, "state": state(1.0)["network"], "training": {}}
    write_weights(tmp_path / "weights.pt", **weights)
    done = subprocess.run(
        [sys.executable, "-c", ON_A_FULL_DISK, str(tmp_path), *map(str, LIMITS)],
        env=os.environ | {"PYTHONPATH": str(Path(brainuad.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    files = {
        "checkpoint": tmp_path / "checkpoint.pt.partial",
        "weights": tmp_path / ".weights.pt.partial" / "weights.pt",
    }
    assert done.stdout.splitlines() == [
        f"{limit} {name} SettingsError: {path}: cannot be written (File too large); free some "
        "space and run again: a training continues from its last checkpoint"
        for limit in LIMITS
        for name, path in files.items()
    ]
    assert contents(tmp_path) == ["checkpoint.pt", "weights.pt"]
    assert saved_value(checkpoint.path) == 1.0
    assert float(read_weights(tmp_path / "weights.pt")["state"]["weight"].mean()) == 1.0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_disk_that_is_full_from_the_first_byte_is_said(tmp_path):
    (tmp_path / "checkpoint.pt.partial").symlink_to("/dev/full")
    with pytest.raises(SettingsError, match=r"\(No space left on device\); free some space"):
        Checkpoint(tmp_path / "checkpoint.pt").save(IDENTITY, state(1.0))
    assert contents(tmp_path) == []


def test_other_failures_are_not_taken_for_a_full_disk(tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    with pytest.raises(AttributeError, match="pickle"):
        checkpoint.save(IDENTITY, {"network": lambda: None})
    (tmp_path / "checkpoint.pt.partial").symlink_to(tmp_path / "no such folder" / "file")
    with pytest.raises(FileNotFoundError):
        checkpoint.save(IDENTITY, state(1.0))
    assert contents(tmp_path) == []


def test_a_checkpoint_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    """Else a power cut may leave the new name with an empty file."""
    calls = []
    for name in ("fsync", "replace"):
        original = getattr(os, name)
        monkeypatch.setattr(
            os,
            name,
            lambda *given, name=name, original=original: (calls.append(name), original(*given)),
        )
    Checkpoint(tmp_path / "checkpoint.pt").save(IDENTITY, state(1.0))
    assert calls == ["fsync", "replace"]


def test_what_a_killed_run_left_half_written_is_in_nobodys_way(tmp_path):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    checkpoint.save(IDENTITY, state(1.0))
    partial = tmp_path / "checkpoint.pt.partial"
    partial.write_bytes(b"half" * 10_000_000)
    assert saved_value(checkpoint.path) == 1.0
    checkpoint.save(IDENTITY, state(2.0))
    assert saved_value(checkpoint.path) == 2.0
    assert contents(tmp_path) == ["checkpoint.pt"]
    partial.write_bytes(b"half")
    checkpoint.remove()
    assert contents(tmp_path) == []


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.1, 0.5, 0.99])
def test_a_checkpoint_cut_short_is_started_anew(tmp_path, capsys, share):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    checkpoint.save(IDENTITY, state(1.0))
    whole = checkpoint.path.read_bytes()
    checkpoint.path.write_bytes(whole[: int(share * len(whole))])
    assert checkpoint.load(IDENTITY, PROCESSOR) is None
    line = capsys.readouterr().out
    assert line.startswith("checkpoint.pt cannot be read (")
    assert line.endswith("): starting again\n") and line.count("\n") == 1


def test_a_checkpoint_that_cannot_be_opened_is_not_started_over(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    checkpoint.path.mkdir()
    with pytest.raises(OSError):
        checkpoint.load(IDENTITY, PROCESSOR)
    checkpoint.path.rmdir()
    checkpoint.save(IDENTITY, state(1.0))

    def fail(*given, **named):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch, pytest.raises(torch.OutOfMemoryError):
        patch.setattr(torch, "load", fail)
        checkpoint.load(IDENTITY, PROCESSOR)
    assert saved_value(checkpoint.path) == 1.0


def test_a_fingerprint_is_short_text():
    first, second = torch.zeros(2, 3), torch.zeros(3, 2)
    flat = fingerprint(
        {
            "training": {"optimizer": "adam", "betas": (0.9, 0.95)},
            "images": first,
            "reshaped": second,
            "weights": {"weight": first},
        }
    )
    assert flat["training.optimizer"] == "'adam'"
    assert flat["training.betas"] == "(0.9, 0.95)"
    assert {len(flat[name]) for name in ("images", "reshaped", "weights")} == {16}
    changed = fingerprint({"images": first + 1e-7, "reshaped": second, "weights": {"bias": first}})
    same = {name: changed[name] == flat[name] for name in changed}
    assert same == {"images": False, "reshaped": True, "weights": False}


def identity(**training):
    return fingerprint(
        {
            "method": {"kind": "line"},
            "training": training,
            "training images": torch.zeros(2, 3),
            "seed": 1,
        }
    )


def test_what_differs_is_named_with_both_values(tmp_path, capsys):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    augmentation = {"gamma": {"probability": 0.5}}
    checkpoint.save(identity(steps=6, betas=(0.9, 0.999), augmentation=augmentation), state(1.0))
    assert (
        checkpoint.load(identity(steps=6, betas=(0.9, 0.95), augmentation=None), PROCESSOR) is None
    )
    assert capsys.readouterr().out == (
        "checkpoint.pt is of another training, starting again: "
        "training.augmentation was absent, is None; "
        "training.augmentation.gamma.probability was 0.5, is absent; "
        "training.betas was (0.9, 0.999), is (0.9, 0.95)\n"
    )


def test_a_line_stays_a_line_where_the_whole_training_differs(tmp_path, capsys):
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt")
    before = identity(**{f"value{number:02d}": number for number in range(20)})
    after = identity(**{f"value{number:02d}": -number for number in range(20)}) | {"seed": "2"}
    after["training images"] = "another"
    checkpoint.save(before, state(1.0))
    assert checkpoint.load(after, PROCESSOR) is None
    line = capsys.readouterr().out
    assert line == (
        "checkpoint.pt is of another training, starting again: seed was 1, is 2; "
        f"training images was {before['training images']}, is another; "
        "training.value01 was 1, is -1; training.value02 was 2, is -2; "
        "training.value03 was 3, is -3; training.value04 was 4, is -4; "
        "and 15 more in training\n"
    )
