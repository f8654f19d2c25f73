"""Work beyond the step of cDDPM, parts of the stage `fast`: reconstruction, noise, other models."""

import sys
import time
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from measuring import Row

from brainuad.compute.compilation import runs_compiled
from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.kinds.diffusion import NoiseSettings
from brainuad.config.settings import settings_from
from brainuad.diffusion.noise import SimplexNoise, permutation_tables
from brainuad.inference.reconstruction import compile_for_volumes, reconstruct_volumes
from brainuad.io.seeds import random_seeds
from brainuad.models import Model
from brainuad.scores.device_postprocess import anomaly_map
from brainuad.training.augmentation import augment
from on_gpu import part, rows, setting
from on_gpu.timing import peak_memory, seconds_of, wait

ENSEMBLE = [250, 500, 750]
OTHERS = ("spark", "dae", "anogan", "pddpm", "ddpm")


def reconstruction() -> None:
    """Seconds per volume, eager and compiled, and the number of passes that pays for compiling."""
    place = setting.device(compile=not rows.is_dry())
    training = setting.build_training("cddpm", place, place.eager_format)
    model = training.model
    del training
    model.network.eval()
    many = 2 if rows.is_dry() else 128
    images = np.random.default_rng(0).random((many, *setting.size().grid), dtype=np.float32)
    subjects = [f"subject{number}" for number in range(many)]

    options = {"timesteps": ENSEMBLE, "seed": 0, "device": place}
    eager = {}
    for name, memory_format in (
        ("channels first", torch.contiguous_format),
        ("channels last", torch.channels_last),
    ):
        model.network.to(memory_format=memory_format)
        for volumes in (1, min(8, many)):
            work = partial(reconstruct, model, images[:volumes], subjects[:volumes], **options)
            work(0)
            with part.alone():
                eager[name] = seconds_of(work, times=1, groups=3) / volumes
            what = f"a volume, ENS, eager, {name}, {volumes} at a time"
            rows.write(Row(what, 1000 * eager[name], "ms", peak_memory()))
    if rows.is_dry():
        return
    started = time.monotonic()
    compile_for_volumes(model, images.shape[2:], place)
    wait()
    compiling = time.monotonic() - started
    if not runs_compiled(model.network):
        sys.exit("it was not compiled")
    for volumes in (1, 8, many):
        work = partial(reconstruct, model, images[:volumes], subjects[:volumes], **options)
        work(0)
        with part.alone():
            seconds = seconds_of(work, times=1, groups=1 if volumes > 8 else 3) / volumes
        goal = "value <= 60" if volumes == many else None
        what = f"a volume, ENS, compiled, {volumes} at a time"
        rows.write(Row(what, 1000 * seconds, "ms", peak_memory(), goal=goal))
    rows.write(Row("compiling for reconstruction, while others compile", compiling, "s"))
    gained = (eager["channels first"] - seconds) / (images.shape[1] * len(ENSEMBLE))
    if gained > 0:
        rows.write(Row("passes of a slice that win this back", compiling / gained, ""))


def reconstruct(
    model: Model, images: np.ndarray, subjects: list[str], _: int, **options: Any
) -> None:
    """The same random volumes each time."""
    reconstruct_volumes(model, images, subjects, **options)


def around() -> None:
    """Noise, augmentation and anomaly maps, each alone."""
    place = setting.device()
    config, batch = setting.size().config, setting.batch_size()
    noise = settings_from(NoiseSettings, config["models"]["cddpm"]["settings"]["noise"])
    simplex = SimplexNoise(setting.size().grid[1:], noise, place.torch)
    keys = place.to_device(random_seeds(batch, torch.Generator().manual_seed(0)))
    settings = setting.build_training("cddpm", place, place.eager_format).settings.augmentation
    slices = torch.rand(batch, 1, *setting.size().grid[1:], device=place.torch)
    scores = np.random.default_rng(0).random((4, *setting.size().grid), dtype=np.float32)
    brain = np.ones(scores.shape[1:], bool)
    order = settings_from(PostprocessingSettings, config["evaluation"]["postprocessing"])
    for what, work, times in (
        ("simplex noise of a batch", lambda _: simplex.fields(permutation_tables(keys)), 20),
        (
            "augmentation of a batch",
            lambda step: augment(slices, settings, torch.Generator().manual_seed(step)),
            20,
        ),
        (
            "4 anomaly maps",
            lambda _: [anomaly_map(volume, brain, order, place.torch) for volume in scores],
            1,
        ),
    ):
        work(0)
        with part.alone():
            rows.write(Row(what, 1000 * seconds_of(work, times=times, groups=3), "ms"))


def others() -> None:
    """A step of SparK and of each other kind, eager as in real runs, in both memory formats."""
    for name in OTHERS:
        for words, memory_format in (
            ("channels first", torch.contiguous_format),
            ("channels last", torch.channels_last),
        ):
            place = setting.device(compile=False)
            if not rows.is_dry():
                torch.cuda.reset_peak_memory_stats()
            training = setting.build_training(name, place, memory_format)
            seconds = []
            for step_number in first_steps(name):
                work = partial(step_again, training, step_number)
                for number in range(3):
                    work(number)
                with part.alone():
                    seconds.append(seconds_of(work, times=5, groups=3))
            rows.write(
                Row(f"step of {name}, eager, {words}", 1000 * median(seconds), "ms", peak_memory())
            )


def step_again(training: setting.Training, step_number: int, _: int) -> None:
    """The same step each time."""
    training.step(step_number)


def first_steps(name: str) -> list[int]:
    """f-AnoGAN trains critic, generator and encoder in turn: one step of each."""
    if name != "anogan":
        return [0]
    settings = setting.training_of(name)["settings"]
    return [0, settings["critic_steps"], settings["gan_steps"]]
