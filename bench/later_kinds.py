"""The cost of later kinds of model, per training step and per volume, at the sizes of cDDPM's rows.

Settings are those of the config; a step includes the choice of slices and augmentation.
"""

import numpy as np
import torch
from cpu import prepared_cpu, threads_in_words
from measuring import Row, side_by_side
from reconstruction import SLICES
from sizes import size_of
from training import PLANS

from brainuad.config.models import TrainingSettings
from brainuad.config.settings import settings_from
from brainuad.inference.reconstruction import reconstruct_volumes
from brainuad.models import build_trainable
from brainuad.training.steps import build_optimizer, take_step

LATER = {"disyre": "DISYRE", "itermask": "IterMask2", "fae": "FAE"}


def measured(*, size: str, kind: str) -> list[Row]:
    """Slices per second of a training step, and volumes per second, of an untrained model."""
    chosen, batch, slices = size_of(size), PLANS[size].batch, SLICES[size]
    place = prepared_cpu(chosen.config)
    block = chosen.config["models"][kind]
    model = build_trainable(block["kind"], block["settings"])
    model.network.to(memory_format=place.eager_format)
    settings = settings_from(TrainingSettings, block["training"] | {"batch_size": batch})
    optimizer = build_optimizer(model.network, settings)
    training = torch.rand(batch, *chosen.grid)
    shape = (1, slices, *chosen.grid[1:])
    volume = np.random.default_rng(0).random(shape, dtype=np.float32)

    def step() -> None:
        take_step(model, training, optimizer, step=0, settings=settings, seed=0, device=place)

    def reconstruct() -> None:
        model.network.eval()
        reconstruct_volumes(model, volume, ["a"], timesteps=[1], seed=0, device=place)

    part = "" if slices == chosen.grid[0] else f", from {slices} of its slices"
    end = f"the {size}'s size"
    stepping, reconstructing = (side_by_side(work, runs=2) for work in (step, reconstruct))
    return [
        Row(
            f"training step of {LATER[kind]}, {end}, {batch} slices, {threads_in_words()}",
            batch / stepping.seconds,
            "slices/s",
            stepping.peak_memory_mib,
        ),
        Row(
            f"a volume through {LATER[kind]}, {end}{part}, {threads_in_words()}",
            slices / chosen.grid[0] / reconstructing.seconds,
            "volumes/s",
            reconstructing.peak_memory_mib,
        ),
    ]
