"""Score one method on scans of one lesion set whose contrast was changed by a power law.

The intensities x in [0, 1] become x^gamma (the paper's simulated contrast); the threshold is fitted
anew on the validation subjects under the same change.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainuad import job, metrics
from brainuad.device import Device, DeviceName, DeviceSettings, prepare_device
from brainuad.device_postprocess import anomaly_maps
from brainuad.methods import Method, load_method
from brainuad.postprocess import PostprocessingSettings, anomaly_map, segment
from brainuad.reconstruction import reconstruct_volumes
from brainuad.settings import settings_from
from brainuad.slices import SliceStack, read_slices
from brainuad.splits import subjects_of
from brainuad.tables import read_table, write_table
from brainuad.thresholds import best_threshold


def main(
    *,
    slices: Path,
    split: Path,
    weights: Path,
    output: Path,
    timesteps: list[int],
    gamma: float,
    postprocessing: dict[str, Any],
    modality: str,
    seed: int,
    device: dict[str, Any],
    threads: int,
) -> None:
    """Write a tidy table of the test subjects: subject, modality, gamma, metric, value."""
    settings = settings_from(PostprocessingSettings, postprocessing)
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    maps_of = partial(
        changed_maps,
        method=load_method(weights, chosen_device.torch),
        gamma=gamma,
        timesteps=timesteps,
        settings=settings,
        seed=seed,
        device=chosen_device,
    )
    validation, test = parts_of(slices, split)
    threshold = best_threshold(maps_of(validation), validation.lesions)
    job.log(f"gamma {gamma}: threshold {threshold.value:.6g}, Dice {threshold.dice:.4f}")
    rows = []
    cases = zip(test.subjects.tolist(), maps_of(test), test.lesions, strict=True)
    for subject, scores, lesions in cases:
        prediction = segment(scores, threshold.value, settings)
        rows.append((subject, modality, gamma, "dice", metrics.dice(prediction, lesions)))
        rows.append((subject, modality, gamma, "auprc", metrics.average_precision(scores, lesions)))
    columns = ["subject", "modality", "gamma", "metric", "value"]
    write_table(pd.DataFrame(rows, columns=columns), output)


def parts_of(slices: Path, split: Path) -> list[SliceStack]:
    """The validation and the test subjects, as copies: the stack of all does not stay in memory."""
    frame, stack = read_table(split), read_slices(slices)
    return [stack.select(subjects_of(frame, partition)) for partition in ("validation", "test")]


def changed_maps(
    part: SliceStack,
    *,
    method: Method,
    gamma: float,
    timesteps: list[int],
    settings: PostprocessingSettings,
    seed: int,
    device: Device,
) -> Iterator[np.ndarray]:
    """The anomaly map [S, H, W] of each subject in turn; changes the images of the part itself."""
    images = part.images
    np.power(images, gamma, out=images)
    reconstructions = reconstruct_volumes(
        method, images, part.subjects.tolist(), timesteps=timesteps, seed=seed, device=device
    )
    for volume in zip(images, reconstructions, part.brain_masks, strict=True):
        if device.settings.name == DeviceName.CUDA:
            yield anomaly_maps(*(array[None] for array in volume), settings, device.torch)[0]
        else:
            yield anomaly_map(*volume, settings)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            weights=Path(snakemake.input.weights),
            output=Path(snakemake.output[0]),
            timesteps=list(snakemake.params.timesteps),
            gamma=snakemake.params.gamma,
            postprocessing=snakemake.params.postprocessing,
            modality=snakemake.params.modality,
            seed=snakemake.params.seed,
            device=snakemake.params.device,
            threads=snakemake.threads,
        )
