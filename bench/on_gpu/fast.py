"""How fast? The paper's step in its variants, reconstruction, and what lies around them."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from measuring import Row
from peaks import matrix_rate

from brainuad.compilation import compile_costly_parts
from brainuad.evaluation.device_postprocess import anomaly_maps
from brainuad.evaluation.postprocess import PostprocessingSettings
from brainuad.methods import Method
from brainuad.noise import NoiseSettings, SimplexNoise, permutation_tables, random_keys
from brainuad.reconstruction import compile_for_volumes, reconstruct_volumes
from brainuad.settings import settings_from
from brainuad.training.augmentation import augment
from brainuad.training.steps import rehearse_step
from on_gpu import part, rows, setting

PEAK = "bf16 matrix products of 8192x8192"
PAPER_STEPS = 14_400
ENSEMBLE = [250, 500, 750]
# So many compile at a time, while one is timed.
AT_A_TIME = 3


@dataclass(frozen=True)
class Variant:
    """A way to compute cDDPM's step.

    compiled  whole: the U-Net as one; blocks: each residual block by itself; graphs: whole, with
              CUDA graphs; None: eager
    """

    compiled: str | None
    channels_last: bool
    deterministic: bool

    @property
    def name(self) -> str:
        words = {
            None: "eager",
            "whole": "compiled",
            "blocks": "compiled block by block",
            "graphs": "compiled, CUDA graphs",
        }
        parts = [words[self.compiled], "channels last" if self.channels_last else "channels first"]
        return ", ".join(parts + ([] if self.deterministic else ["not deterministic"]))


PRODUCTION = Variant("whole", True, True)
VARIANTS = {
    "production": PRODUCTION,
    "eager": Variant(None, False, True),
    "eager_last": Variant(None, True, True),
    "blocks": Variant("blocks", True, True),
    "free": Variant("whole", True, False),
    "first": Variant("whole", False, True),
    "graphs": Variant("graphs", True, True),
}
OTHERS = ("spark", "dae", "anogan", "pddpm", "ddpm")
# (function, arguments), the most important first.
PARTS = [
    ("peak", {}),
    ("step", {"variant": "production"}),
    ("reconstruction", {}),
    ("step", {"variant": "eager"}),
    ("step", {"variant": "eager_last"}),
    ("around", {}),
    ("step", {"variant": "free"}),
    ("others", {}),
    ("step", {"variant": "blocks"}),
    ("step", {"variant": "first"}),
    ("step", {"variant": "graphs"}),
]


def main() -> None:
    deadline = time.monotonic() + float(sys.argv[2]) - 5
    at_a_time = 1 if rows.is_dry() else AT_A_TIME
    waiting, running, missing = list(PARTS), {}, []
    while (waiting or running) and time.monotonic() < deadline:
        while waiting and len(running) < at_a_time:
            function, arguments = waiting.pop(0)
            name = " ".join([function, *arguments.values()])
            running[name] = part.started("on_gpu.fast", function, **arguments)
        for name in [name for name, process in running.items() if process.poll() is not None]:
            if running.pop(name).returncode != 0:
                missing.append(f"{name} failed")
        time.sleep(0.1)
    price_of_determinism()
    # What still runs ends with this process, whose group it belongs to.
    missing += [f"{name} was cut off" for name in running]
    missing += [f"{function} {arguments} was not begun" for function, arguments in waiting]
    if missing:
        sys.exit("; ".join(missing))


def price_of_determinism() -> None:
    """How many times as long a deterministic step takes, if both were timed."""
    kept = rows.value_of(f"step of cDDPM: {PRODUCTION.name}")
    free = rows.value_of(f"step of cDDPM: {VARIANTS['free'].name}")
    if kept and free:
        goal = "value <= 1.15"
        rows.write(Row("deterministic over not deterministic", kept / free, "times", goal=goal))


def wait() -> None:
    if not rows.is_dry():
        torch.cuda.synchronize()


def seconds_of(work: Callable[[int], object], *, times: int, groups: int = 5) -> float:
    """Seconds of one call: the best group of so many calls that wait for nothing in between."""
    if rows.is_dry():
        times = groups = 1
    best = float("inf")
    for group in range(groups):
        wait()
        started = time.perf_counter()
        for number in range(times):
            work(group * times + number)
        wait()
        best = min(best, (time.perf_counter() - started) / times)
    return best


def peak_memory() -> float | None:
    return None if rows.is_dry() else torch.cuda.max_memory_allocated() / 2**20


def peak() -> None:
    """What the card computes at most."""
    place = setting.device()
    if rows.is_dry():
        return
    with part.alone():
        rows.write(Row(PEAK, matrix_rate(place.torch) / 1e12, "TFLOP/s"))


def step(variant: str) -> None:
    """Milliseconds, share of the peak, memory and time to compile of a variant of the step."""
    chosen = VARIANTS[variant]
    place = setting.device(
        deterministic=chosen.deterministic,
        # A CPU compiles for a minute; once is enough to try it, in the stage `whole`.
        compile=chosen.compiled is not None and not rows.is_dry(),
    )
    last = torch.channels_last if chosen.channels_last else torch.contiguous_format
    training = setting.build_training("cddpm", place, last)
    started = time.monotonic()
    compile_as(chosen, training)
    for number in range(3):
        training.step(number)
    wait()
    ready = time.monotonic() - started
    name = f"step of cDDPM: {chosen.name}"
    with part.alone():
        seconds = seconds_of(training.step, times=10)
    production = chosen is PRODUCTION
    rows.write(
        Row(name, 1000 * seconds, "ms", peak_memory(), goal="value <= 36" if production else None)
    )
    highest = rows.value_of(PEAK)
    if highest:
        rows.write(
            Row(
                f"{name}: rate",
                setting.step_flop() / seconds / 1e12,
                "TFLOP/s",
                reference=PEAK,
                reference_value=highest,
                goal="ratio >= 0.4" if production else None,
            )
        )
    if production:
        minutes = PAPER_STEPS * seconds / 60
        rows.write(Row(f"{PAPER_STEPS} such steps", minutes, "min", goal="value <= 10"))
    if chosen.compiled:
        rows.write(Row(f"{name}: until it runs, {AT_A_TIME} side by side", ready, "s"))


def compile_as(chosen: Variant, training: setting.Training) -> None:
    """Compile in place what the variant compiles, as training does it or as it might."""
    network, place = training.method.network, training.place
    if not place.settings.compile:
        return
    if chosen is PRODUCTION or chosen == VARIANTS["free"]:
        draws = {"settings": training.settings, "seed": 0, "device": place}
        compile_costly_parts(
            network, place, lambda: rehearse_step(training.method, training.images, **draws)
        )
    elif chosen.compiled == "blocks":
        for module in network["unet"].modules():
            if type(module).__name__ in ("ResidualBlock", "SelfAttention"):
                module.compile(dynamic=False)
    else:
        mode = "reduce-overhead" if chosen.compiled == "graphs" else None
        network["unet"].compile(dynamic=False, mode=mode)


def reconstruction() -> None:
    """Seconds of a volume, eager and compiled, and from how many passes on compiling pays."""
    place = setting.device(compile=not rows.is_dry())
    training = setting.build_training("cddpm", place, place.eager_format)
    method = training.method
    del training
    method.network.eval()
    many = 2 if rows.is_dry() else 128
    images = np.random.default_rng(0).random((many, *setting.size().grid), dtype=np.float32)
    subjects = [f"subject{number}" for number in range(many)]

    options = {"timesteps": ENSEMBLE, "seed": 0, "device": place}
    eager = {}
    for name, memory_format in (
        ("channels first", torch.contiguous_format),
        ("channels last", torch.channels_last),
    ):
        method.network.to(memory_format=memory_format)
        for volumes in (1, min(8, many)):
            work = partial(reconstruct, method, images[:volumes], subjects[:volumes], **options)
            work(0)
            with part.alone():
                eager[name] = seconds_of(work, times=1, groups=3) / volumes
            what = f"a volume, ENS, eager, {name}, {volumes} at a time"
            rows.write(Row(what, 1000 * eager[name], "ms", peak_memory()))
    if rows.is_dry():
        return
    started = time.monotonic()
    compile_for_volumes(method, images.shape[2:], place)
    wait()
    compiling = time.monotonic() - started
    for volumes in (1, 8, many):
        work = partial(reconstruct, method, images[:volumes], subjects[:volumes], **options)
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
    method: Method, images: np.ndarray, subjects: list[str], _: int, **options: Any
) -> None:
    """The same volumes each time."""
    reconstruct_volumes(method, images, subjects, **options)


def around() -> None:
    """Noise, augmentation and anomaly maps alone."""
    place = setting.device()
    config, batch = setting.size().config, setting.batch_size()
    noise = settings_from(NoiseSettings, config["methods"]["cddpm"]["settings"]["noise"])
    simplex = SimplexNoise(setting.size().grid[1:], noise, place.torch)
    keys = place.moved(random_keys(batch, torch.Generator().manual_seed(0)))
    settings = setting.build_training("cddpm", place, place.eager_format).settings.augmentation
    slices = torch.rand(batch, 1, *setting.size().grid[1:], device=place.torch)
    volumes = np.random.default_rng(0).random((2, 4, *setting.size().grid), dtype=np.float32)
    brains = np.ones(volumes.shape[1:], bool)
    order = settings_from(PostprocessingSettings, config["evaluation"]["postprocessing"])
    for what, work, times in (
        ("simplex noise of a batch", lambda _: simplex.fields(permutation_tables(keys)), 20),
        (
            "augmentation of a batch",
            lambda step: augment(slices, settings, torch.Generator().manual_seed(step)),
            20,
        ),
        ("4 anomaly maps", lambda _: anomaly_maps(*volumes, brains, order, place.torch), 1),
    ):
        work(0)
        with part.alone():
            rows.write(Row(what, 1000 * seconds_of(work, times=times, groups=3), "ms"))


def others() -> None:
    """A step of SparK and of each other kind, eager as in production, in both memory formats."""
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
    """f-AnoGAN trains its critic, its generator and its encoder in turn: one step of each."""
    if name != "anogan":
        return [0]
    settings = setting.training_of(name)["settings"]
    return [0, settings["critic_steps"], settings["gan_steps"]]


if __name__ == "__main__":
    main()
