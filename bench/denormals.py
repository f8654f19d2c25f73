"""The cost of denormal numbers, below 1e-38: a training step of DAE with and without them.

`prepare_device` flushes them to 0. DAE makes some ten thousand in a step, where the derivative of
Swish vanishes. Some CPUs compute many times slower with them, but an AMD EPYC hardly does.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from cpu import prepared_cpu, threads_in_words
from measuring import Row, elapsed, in_own_process
from sizes import size_of
from torch import nn

from brainuad.compute.device import Device
from brainuad.config.models import TrainingSettings
from brainuad.config.settings import settings_from
from brainuad.models import build_trainable
from brainuad.training.steps import build_optimizer, take_step

BATCH = 8
VOLUMES = 24
# An untrained DAE makes few of them.
TRAINED_STEPS = 100
TIMED_STEPS = 20
TURNS = 3


def measured() -> list[Row]:
    """Slices per second, the best of several processes, which take turns between both ways."""
    flushed, kept = [], []
    with tempfile.TemporaryDirectory() as folder:
        weights = str(Path(folder) / "weights.pt")
        threads = in_own_process("denormals", "train", weights=weights)
        for _ in range(TURNS):
            for seconds, flush in ((flushed, True), (kept, False)):
                options = {"weights": weights, "flush": flush}
                seconds.append(in_own_process("denormals", "seconds_of_step", **options))
    what = (
        f"training step of DAE, the demo's size, {BATCH} slices, {threads}, "
        f"after {TRAINED_STEPS} others"
    )
    reference = "the same with denormal numbers"
    rates = BATCH / min(flushed), BATCH / min(kept)
    return [Row(what, rates[0], "slices/s", reference=reference, reference_value=rates[1])]


def train(*, weights: str) -> str:
    """Take the first steps and keep the weights; return the number of threads in words."""
    network, step = build_training(prepared_cpu(size_of("demo").config))
    for number in range(TRAINED_STEPS):
        step(number)
    torch.save(network.state_dict(), weights)
    return threads_in_words()


def seconds_of_step(*, weights: str, flush: bool) -> float:
    """Seconds of the best step that begins with these weights."""
    place = prepared_cpu(size_of("demo").config)
    # Set it before any tensor is computed: threads inherit it from the one that starts
    # them.
    torch.set_flush_denormal(flush)
    network, step = build_training(place)
    network.load_state_dict(torch.load(weights, weights_only=True))
    numbers = range(TRAINED_STEPS, TRAINED_STEPS + TIMED_STEPS)
    return min(elapsed(partial(step, number)) for number in numbers)


def build_training(place: Device) -> tuple[nn.Module, Callable[[int], object]]:
    """DAE's network at the demo's size, and a function that takes the step of a number."""
    size = size_of("demo")
    block = size.config["models"]["dae"]
    torch.manual_seed(0)
    model = build_trainable(block["kind"], block["settings"])
    model.network.to(memory_format=place.eager_format)
    settings = settings_from(TrainingSettings, block["training"] | {"batch_size": BATCH})
    optimizer = build_optimizer(model.network, settings)
    images = torch.rand(VOLUMES, *size.grid)

    def step(number: int) -> None:
        take_step(model, images, optimizer, step=number, settings=settings, seed=0, device=place)

    return model.network, step
