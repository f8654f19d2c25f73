"""Time how long the model of each method takes to reconstruct a volume.

All methods are timed in one job, in turns: times of different jobs cannot be compared, since they
may have run on different machines, or next to other work.
"""

import time
from pathlib import Path
from typing import Any

import torch

from brainuad.compute.device import Device, prepare_device
from brainuad.config.device import DeviceSettings, device_of
from brainuad.config.settings import settings_from
from brainuad.evaluation.reconstruction_times import COLUMNS, SECONDS
from brainuad.images.slices import SliceStack, read_slices
from brainuad.inference.reconstruction import (
    compile_for_volumes,
    reconstruct_volumes,
    scans_to_reconstruct,
)
from brainuad.io import job
from brainuad.io.progress import progress_bar
from brainuad.io.rows import write_rows
from brainuad.models import Model, load_model

VOLUMES = 5
# ASSUME: a volume's time is the mean of this many rounds over a few volumes; the paper does not say
# how it measured its times.
ROUNDS = 3


def main(
    *,
    slices: Path,
    split: Path,
    weights: list[Path],
    output: Path,
    methods: list[str],
    models: list[str],
    timesteps: list[list[int]],
    samples: list[int],
    dataset: str,
    modality: str,
    fold: int,
    seed: int,
    device: dict[str, Any],
    threads: int,
) -> None:
    """Write a tidy table of all rounds, in the columns of `reconstruction_times.COLUMNS`.

    `methods`, `models`, `weights`, `timesteps` and `samples` are parallel: the name of a row, the
    model that it is reconstructed with, the model's file, the timesteps, and the number of samples.
    The time is that from the slices of the first test scans in memory to their reconstructions in
    memory, in the same batches as in `reconstruct`, and with the network compiled if the device's
    settings say so. Files are read and networks compiled before.
    """
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    # Methods may share their model.
    files = dict(zip(models, weights, strict=True))
    loaded = {name: load_model(path, chosen_device) for name, path in files.items()}
    stack = read_slices(slices)
    names = scans_to_reconstruct(stack, split, slices=slices)[:VOLUMES]
    volumes = stack.select(names)
    for model in loaded.values():
        compile_for_volumes(model, volumes.images.shape[2:], chosen_device)
    rows = []
    # The first round warms up and is not timed: memory is allocated, kernels are chosen.
    for number in progress_bar(range(ROUNDS + 1), total=ROUNDS + 1, label="timing"):
        # In turns, so that other work on the machine slows all methods equally.
        for method, name, steps, count in zip(methods, models, timesteps, samples, strict=True):
            seconds = seconds_to_reconstruct(
                volumes,
                loaded[name],
                timesteps=steps,
                samples=count,
                seed=seed,
                device=chosen_device,
            )
            if number > 0:
                value = seconds / len(names)
                rows.append((method, fold, dataset, modality, number, SECONDS, value))
    write_rows(COLUMNS, rows, output)
    job.log(f"{len(methods)} methods, {len(names)} volumes of {dataset} {modality}")


def seconds_to_reconstruct(
    volumes: SliceStack,
    model: Model,
    *,
    timesteps: list[int],
    samples: int,
    seed: int,
    device: Device,
) -> float:
    """Seconds from volumes in memory to their reconstructions, until the device has finished."""
    wait_for(device)
    started = time.perf_counter()
    reconstruct_volumes(
        model,
        volumes.images,
        volumes.names,
        timesteps=timesteps,
        samples=samples,
        seed=seed,
        device=device,
    )
    wait_for(device)
    return time.perf_counter() - started


def wait_for(device: Device) -> None:
    """Wait until the device has done what it was given."""
    if device.torch.type == "cuda":
        torch.cuda.synchronize(device.torch)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            weights=[Path(path) for path in snakemake.input.weights],
            output=Path(snakemake.output.times),
            methods=list(snakemake.params.methods),
            models=list(snakemake.params.models),
            timesteps=[list(steps) for steps in snakemake.params.timesteps],
            samples=list(snakemake.params.samples),
            dataset=snakemake.params.dataset,
            modality=snakemake.params.modality,
            fold=snakemake.params.fold,
            seed=snakemake.params.seed,
            device=device_of(snakemake.config),
            threads=snakemake.threads,
        )
