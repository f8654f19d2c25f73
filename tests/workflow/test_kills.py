"""Twenty kills at random moments, one result: a training is its seed's, however often it stops."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.tables import read_table, write_table
from conftest import PROJECT

PATHS = ("slices", "split", "weights", "history", "machines")
RUNNER = f"""
import json, sys
from pathlib import Path
from train_model import main
values = json.loads(sys.argv[1])
main(**values | {{name: Path(values[name]) for name in {PATHS}}}, pretrained=None, code="")
"""
# 210 steps of some 20 ms, all of whose chance a resume must find again: slices, augmentation,
# noise, timesteps, stochastic depth. An epoch is three steps: the kills come in the first half.
SETTINGS = {
    "network": {"channels": 8, "multipliers": [1, 2], "residual_blocks": 1, "attention_heads": 2},
    "encoder": {
        "width": 2,
        "blocks": [1, 1, 1, 1],
        "stem_stride": 2,
        "condition_width": 8,
        "stochastic_depth": 0.2,
    },
    "noise": {"octaves": 4, "persistence": 0.8, "wavelength": 16.0, "shared": False},
    "schedule": {"timesteps": 1000, "offset": 0.008, "largest_beta": 0.999},
}
TRAINING = {
    "steps": 210,
    "batch_size": 4,
    "slices_per_volume": 2,
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "betas": [0.9, 0.999],
    "warmup_steps": 4,
    "decay": "cosine",
    "validation": {"every_epochs": 4, "slices_per_volume": 2, "redrawn": False},
    "augmentation": {
        "blur": {"probability": 0.5, "deviation": [0.0, 2.0]},
        "bias_field": {"probability": 0.5, "order": 3, "coefficients": 0.5},
        "gamma": {"probability": 0.5, "log_gamma": 0.3},
        "ghosting": {
            "probability": 0.5,
            "ghosts": [4, 10],
            "intensity": [0.5, 1.0],
            "restore": 0.02,
        },
    },
}
SECONDS_AT_MOST = 120


@dataclass(frozen=True)
class Kill:
    """When and how a life ends.

    moment   "start": while it imports and sets up; "training": any time in or between steps;
             "saving": while a checkpoint is written
    epochs   that it finishes before, where it does not end at the start
    delay    after them, as a share of an epoch's time, or of the time that a start takes
    signals  sent one after the other
    """

    moment: str
    epochs: int
    delay: float
    signals: tuple[signal.Signals, ...]


def draw_kills(generator: random.Random) -> list[Kill]:
    """Twenty, half of them SIGKILL, in random order; one in four comes while it starts."""
    moments = ["start"] * 5 + ["training"] * 9 + ["saving"] * 6
    term, kill = signal.SIGTERM, signal.SIGKILL
    # An impatient user, or a cluster that asks and then kills.
    ways = [(kill,)] * 10 + [(term,)] * 6 + [(term, term)] * 2 + [(term, kill)] * 2
    for part in (moments, ways):
        generator.shuffle(part)
    return [
        Kill(moment, generator.randrange(6), generator.random(), way)
        for moment, way in zip(moments, ways, strict=True)
    ]


class Life:
    """A process that trains, from its start to its end."""

    def __init__(self, folder: Path, output: str, log: Path) -> None:
        self.log = log
        self.partial = folder / output / "checkpoint.pt.partial"
        self.left_by_another = self.time_of_partial()
        values = {
            "slices": str(folder / "slices.npz"),
            "split": str(folder / "split.tsv"),
            "weights": str(folder / output / "weights.pt"),
            "history": str(folder / output / "history.tsv"),
            "machines": str(folder / output / "machines.tsv"),
            "kind": "diffusion",
            "settings": SETTINGS,
            "training": TRAINING,
            "seed": 5,
            "device": {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True},
            "checkpoint_minutes": 0.002,
            "threads": 1,
        }
        self.started = time.monotonic()
        with log.open("w", encoding="utf-8") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", RUNNER, json.dumps(values)],
                env=os.environ | {"PYTHONPATH": str(PROJECT / "scripts")},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def epochs(self) -> int:
        return len(re.findall(r"^epoch \d+", self.log.read_text(), re.MULTILINE))

    def step(self, words: str) -> int | None:
        """The step that the log gives behind some words."""
        found = re.search(rf"{words} (\d+)", self.log.read_text())
        return int(found[1]) if found else None

    def time_of_partial(self) -> int:
        try:
            return self.partial.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def is_saving(self) -> bool:
        """A half-written checkpoint lies there, and not since an earlier life."""
        return self.time_of_partial() not in (0, self.left_by_another)

    def wait_until(self, condition: Callable[[], bool], *, every: float) -> None:
        while not condition():
            assert self.process.poll() is None, f"ended by itself:\n{self.log.read_text()}"
            assert time.monotonic() - self.started < SECONDS_AT_MOST, self.log.read_text()
            time.sleep(every)

    def end(self) -> int:
        return self.process.wait(SECONDS_AT_MOST)

    def end_by(self, kill: Kill, *, seconds_to_start: float, seconds_of_epoch: float) -> int:
        """Kill the living process; its exit status is negative where a signal ended it."""
        if kill.moment == "start":
            time.sleep(kill.delay * seconds_to_start)
        else:
            self.wait_until(lambda: self.epochs() >= kill.epochs, every=0.005)
            if kill.moment == "saving":
                self.wait_until(self.is_saving, every=0.0002)
            else:
                time.sleep(kill.delay * seconds_of_epoch)
        assert self.process.poll() is None, f"ended by itself:\n{self.log.read_text()}"
        self.process.send_signal(kill.signals[0])
        for number in kill.signals[1:]:
            time.sleep(0.01)
            self.process.send_signal(number)
        return self.end()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine tiny volumes of noise, six to train on."""
    images = np.random.default_rng(4).random((9, 5, 32, 32), dtype=np.float32)
    subjects = np.array([f"s{number}" for number in range(9)])
    stack = SliceStack(
        images=images,
        brain_masks=images > 0,
        lesions=np.zeros(images.shape, np.uint8),
        subjects=subjects,
        affines=np.tile(np.eye(4), (9, 1, 1)),
    )
    write_slices(stack, tmp_path / "slices.npz")
    partitions = ["train"] * 6 + ["validation"] * 2 + ["test"]
    table = pd.DataFrame({"subject": subjects, "session": "", "partition": partitions})
    write_table(table, tmp_path / "split.tsv")
    return tmp_path


def test_twenty_kills_at_random_moments_and_one_result(folder):
    undisturbed = Life(folder, "undisturbed", folder / "undisturbed.log")
    undisturbed.wait_until(lambda: undisturbed.epochs() > 0, every=0.01)
    seconds_to_start = time.monotonic() - undisturbed.started
    assert undisturbed.end() == 0
    history = read_table(folder / "undisturbed" / "history.tsv")

    lives, half_written = [], 0
    for number, kill in enumerate(draw_kills(random.Random(7))):
        life = Life(folder, "killed", folder / f"life{number:02d}.log")
        status = life.end_by(
            kill,
            seconds_to_start=seconds_to_start,
            seconds_of_epoch=history["seconds"].median(),
        )
        lives.append(life)
        half_written += life.is_saving()
        inside = kill.moment == "saving" or (kill.moment == "training" and kill.epochs > 0)
        if kill.signals == (signal.SIGKILL,):
            assert status == -signal.SIGKILL
        elif kill.signals == (signal.SIGTERM,) and inside:
            assert status == 128 + signal.SIGTERM
        else:
            # Before the first step, and after the last checkpoint, a signal has its default way.
            assert status in (128 + signal.SIGTERM, -signal.SIGTERM, -signal.SIGKILL)
    lives.append(Life(folder, "killed", folder / "last.log"))
    assert lives[-1].end() == 0

    assert len(lives) == 21
    assert half_written >= 1, "no SIGKILL came while a checkpoint was written"
    assert not any("starting again" in life.log.read_text() for life in lives)
    resumed = [life.step("resumed after step") for life in lives]
    steps = [step for step in resumed if step is not None]
    assert len(steps) >= 8
    assert steps == sorted(steps), "a kill took the last good checkpoint"
    for life, following in zip(lives, resumed[1:], strict=False):
        if (stopped := life.step("stopped by a signal after step")) and following is not None:
            assert following == stopped, "a stop by SIGTERM costs no step"

    first, second = (folder / name / "weights.pt" for name in ("undisturbed", "killed"))
    assert second.read_bytes() == first.read_bytes()
    other = read_table(folder / "killed" / "history.tsv")
    pd.testing.assert_frame_equal(
        other.drop(columns="seconds"), history.drop(columns="seconds"), check_exact=True
    )
    assert sorted(os.listdir(folder / "killed")) == ["history.tsv", "machines.tsv", "weights.pt"]
