"""The cost of later kinds of model, per training step and per volume, compared with cDDPM.

Settings are those of the config; a step includes the choice of slices and augmentation.
"""

from collections.abc import Callable

import numpy as np
import torch
from cpu import prepared_cpu, threads_in_words
from measuring import Row, side_by_side
from reconstruction import ENSEMBLE, SLICES
from sizes import Size, size_of
from training import PLANS

from brainuad.compute.device import Device
from brainuad.config.models import TrainingSettings
from brainuad.config.settings import settings_from
from brainuad.inference.reconstruction import reconstruct_volumes
from brainuad.models import Model, build_trainable
from brainuad.training.steps import build_optimizer, take_step

LATER = {"disyre": "DISYRE", "itermask": "IterMask2", "fae": "FAE"}
REFERENCE = "cddpm"


def measured(*, size: str) -> list[Row]:
    """Slices per second of a training step and volumes per second, for each kind."""
    chosen = size_of(size)
    place = prepared_cpu(chosen.config)
    batch, slices = PLANS[size].batch, SLICES[size]
    share = slices / chosen.grid[0]
    part = "" if share == 1 else f", from {slices} of its slices"
    rows = []
    for name, label in LATER.items():
        ours, theirs = (built(one, chosen, place) for one in (name, REFERENCE))
        works = {
            f"training step of {label}, the {size}'s size, {batch} slices": (
                [step_of(model, one, chosen, place, batch) for model, one in (ours, theirs)],
                "slices/s",
                batch,
                "cDDPM",
            ),
            f"anomaly map of a volume by {label}, the {size}'s size{part}": (
                [volume_of(model, one, chosen, place, slices) for model, one in (ours, theirs)],
                "volumes/s",
                share,
                "cDDPM, ENS",
            ),
        }
        for what, (pair, unit, amount, reference) in works.items():
            timing = side_by_side(*pair, runs=2)
            rows.append(
                Row(
                    f"{what}, {threads_in_words()}",
                    amount / timing.seconds,
                    unit,
                    timing.peak_memory_mib,
                    reference,
                    amount / timing.reference_seconds,
                )
            )
    return rows


def built(name: str, chosen: Size, place: Device) -> tuple[Model, str]:
    """An untrained model of the config, and its name."""
    block = chosen.config["models"][name]
    model = build_trainable(block["kind"], block["settings"])
    model.network.to(memory_format=place.eager_format)
    return model, name


def step_of(
    model: Model, name: str, chosen: Size, place: Device, batch: int
) -> Callable[[], object]:
    """A training step on random volumes."""
    block = chosen.config["models"][name]["training"] | {"batch_size": batch}
    settings = settings_from(TrainingSettings, block)
    optimizer = build_optimizer(model.network, settings)
    images = torch.rand(batch, *chosen.grid)
    options = {"step": 0, "settings": settings, "seed": 0, "device": place}
    return lambda: take_step(model, images, optimizer, **options)


def volume_of(
    model: Model, name: str, chosen: Size, place: Device, slices: int
) -> Callable[[], object]:
    """The reconstruction of some slices of a random volume, as `reconstruct` does it."""
    shape = (1, slices, *chosen.grid[1:])
    images = np.random.default_rng(0).random(shape, dtype=np.float32)
    timesteps = ENSEMBLE if name == REFERENCE else [1]

    def work() -> None:
        model.network.eval()
        reconstruct_volumes(model, images, ["a"], timesteps=timesteps, seed=0, device=place)

    return work
