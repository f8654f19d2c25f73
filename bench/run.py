"""Measure what costs time, each beside a plain reference in the same run: `make bench`.

Prints a table and writes it to bench/results.tsv. Machines differ and are shared: read the ratios.
Seconds are the best of a few runs on one thread; those of preprocessing are processor time of one
run, with the peak memory of its process. `python bench/registration.py` is the full comparison.
"""

import platform
import runpy
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import opensimplex
import pandas as pd
import preprocessing
import registration
import torch
import yaml
from scipy import ndimage
from sklearn.metrics import average_precision_score
from torch import nn

from brainuad import metrics, postprocess, thresholds
from brainuad.augmentation import AugmentationSettings, augment
from brainuad.methods import build_trainable
from brainuad.noise import NoiseSettings, SimplexNoise, permutation_tables, random_keys
from brainuad.reconstruction import reconstruct_volumes
from brainuad.settings import settings_from
from brainuad.training import TrainingSettings, build_optimizer, take_step

PROJECT = Path(__file__).resolve().parent.parent
PAPER_GRID = (50, 96, 96)
DEMO_GRID = (25, 48, 48)


def seconds(work: Callable[[], object], *, runs: int = 3) -> float:
    """The best of a few runs, after one that warms up."""
    work()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def row(what: str, work: Callable, reference: str = "", plain: Callable | None = None) -> dict:
    """A line of the table; `plain` is what the reference does for the same result."""
    ours = seconds(work)
    theirs = seconds(plain, runs=1) if plain else np.nan
    line = {"what": what, "seconds": ours, "reference": reference, "reference_seconds": theirs}
    return {**line, "times_faster": theirs / ours}


def noise_and_augmentation(config: dict) -> Iterator[dict]:
    generator = torch.Generator().manual_seed(0)
    settings = settings_from(NoiseSettings, config["methods"]["cddpm"]["settings"]["noise"])
    noise = SimplexNoise(PAPER_GRID[1:], settings, torch.device("cpu"))
    keys = random_keys(32, generator)

    def plain() -> None:
        axis = np.arange(96.0)
        for field in range(32):
            simplex = opensimplex.OpenSimplex(field)
            for octave in range(settings.octaves):
                scaled = axis / (settings.wavelength / 2**octave)
                simplex.noise2array(scaled, scaled)

    name = "simplex noise, 32 fields of 96x96, 6 octaves"
    yield row(name, lambda: noise.fields(permutation_tables(keys)), "opensimplex", plain)
    images = torch.rand(32, 1, 96, 96, generator=generator)
    transforms = config["methods"]["cddpm"]["training"]["augmentation"]
    transforms = settings_from(AugmentationSettings, transforms)
    yield row("augmentation, 32 slices of 96x96", lambda: augment(images, transforms, generator))


def training(config: dict, grid: tuple[int, ...], *, batch: int, size: str) -> Iterator[dict]:
    """A whole step, and the same of the network alone: the rest is what the loop costs."""
    block = config["methods"]["cddpm"]
    values = {**block["training"], "batch_size": batch}
    settings = settings_from(TrainingSettings, values)
    method = build_trainable(block["kind"], block["settings"])
    volumes = torch.rand(8, *grid)
    optimizer = build_optimizer(method.network, settings)
    generator = torch.Generator().manual_seed(0)

    def step() -> None:
        take_step(method, volumes, optimizer, step=0, settings=settings, seed=0)

    def network() -> None:
        method.training_loss(volumes[:batch, :1], generator).backward()
        optimizer.step()

    yield row(
        f"training step of cDDPM, {size}, batch {batch}", step, "loss, backward, optimiser", network
    )


def reconstruction(config: dict, grid: tuple[int, ...], *, size: str) -> Iterator[dict]:
    block = config["methods"]["cddpm"]
    method = build_trainable(block["kind"], block["settings"])
    method.network.eval()
    volume = np.random.default_rng(0).random((1, *grid), dtype=np.float32)
    options = {"timesteps": [250, 500, 750], "seed": 0, "device": torch.device("cpu")}
    yield row(
        f"reconstruction of a volume, ENS, {size}",
        lambda: reconstruct_volumes(method, volume, ["subject"], **options),
    )


def convolution_rate() -> float:
    """GFLOP/s of forward and backward of one 3x3 convolution, 128 to 128 channels at 96x96."""
    layer = nn.Conv2d(128, 128, 3, padding=1)
    images = torch.rand(2, 128, 96, 96, requires_grad=True)
    once = seconds(lambda: layer(images).sum().backward())
    return 3 * 2 * 2 * 128 * 128 * 9 * 96 * 96 / once / 1e9


def evaluation(config: dict) -> Iterator[dict]:
    rng = np.random.default_rng(0)
    settings = settings_from(
        postprocess.PostprocessingSettings, config["evaluation"]["postprocessing"]
    )
    place = np.indices(PAPER_GRID) - np.array([25, 48, 48])[:, None, None, None]
    brain = (place**2 / np.array([24, 36, 44])[:, None, None, None] ** 2).sum(0) < 1
    images = rng.random(PAPER_GRID, dtype=np.float32) * brain
    painted = ndimage.gaussian_filter(images, 1) * brain
    residual = postprocess.residual(images, painted) * brain
    lesions = ((place - 8) ** 2).sum(0) < 64
    maps = postprocess.anomaly_map(images, painted, brain, settings)
    size = settings.median_size
    yield row(
        f"median filter {size}x{size}x{size} of a 50x96x96 volume",
        lambda: postprocess.median_filtered(residual, size),
        "scipy.ndimage",
        lambda: ndimage.median_filter(residual, size),
    )
    yield row(
        "average precision of a 50x96x96 volume",
        lambda: metrics.average_precision(maps, lesions.astype(np.uint8)),
        "scikit-learn",
        lambda: average_precision_score(lesions.ravel(), maps.ravel()),
    )
    yield row(
        "exact threshold search, 10 volumes of 50x96x96",
        lambda: thresholds.best_threshold([maps] * 10, [lesions.astype(np.uint8)] * 10),
    )


def main() -> None:
    torch.set_num_threads(1)
    merged = runpy.run_path(str(PROJECT / "tests" / "workflow" / "conftest.py"))["merged"]
    paper = yaml.safe_load((PROJECT / "config/config.yaml").read_text())
    demo = merged(paper, yaml.safe_load((PROJECT / "demo/config/config.yaml").read_text()))
    rows = [
        *noise_and_augmentation(paper),
        *training(demo, DEMO_GRID, batch=8, size="demo"),
        *training(paper, PAPER_GRID, batch=2, size="paper"),
        *reconstruction(demo, DEMO_GRID, size="demo"),
        *evaluation(paper),
        *preprocessing.measured(),
    ]
    table = pd.DataFrame(rows).round(4)
    compared = {name: registration.candidates()[name] for name in ("released", "default")}
    accuracy = registration.summary(registration.measured(compared, spacing=2.0, seeds=2))
    print(
        f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"one thread, convolutions {convolution_rate():.0f} GFLOP/s"
    )
    print(table.to_string(index=False))
    table.to_csv(PROJECT / "bench" / "results.tsv", sep="\t", index=False)
    print("\nregistration of 8 brains whose place is known, 2 mm; errors in mm")
    print(accuracy.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
