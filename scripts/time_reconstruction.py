"""Time how long each method takes to reconstruct a volume.

All methods are timed in one job, in turns, since times of other jobs are of another machine, or of
other work beside them: only times of one run are compared.
"""

import time
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from brainuad import job
from brainuad.device import Device, DeviceSettings, prepare_device
from brainuad.evaluation.times import COLUMNS, SECONDS
from brainuad.methods import Method, load_method
from brainuad.progress import progress_bar
from brainuad.reconstruction import reconstruct_volumes, subjects_to_reconstruct
from brainuad.settings import settings_from
from brainuad.slices import SliceStack, read_slices
from brainuad.tables import write_table

VOLUMES = 5
# ASSUME: a volume's time is the shortest of so many rounds, since a machine's other work only adds
# to it; the paper does not say how it timed.
ROUNDS = 3


def main(
    *,
    slices: Path,
    split: Path,
    weights: list[Path],
    output: Path,
    methods: list[str],
    timesteps: list[list[int]],
    dataset: str,
    modality: str,
    fold: int,
    seed: int,
    device: dict[str, Any],
    threads: int,
) -> None:
    """Write a tidy table of the first test subjects, in the columns of `times.COLUMNS`.

    `methods`, `weights` and `timesteps` are parallel. What is timed leads from the slices in memory
    to the reconstructions in memory, one volume at a time; files and networks are read before. So
    few slices are never compiled for.
    """
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    # Rows of the tables may share their weights.
    models = {path: load_method(path, chosen_device.torch) for path in dict.fromkeys(weights)}
    stack = read_slices(slices)
    subjects = subjects_to_reconstruct(stack, split, slices=slices)[:VOLUMES]
    volumes = {subject: stack.select([subject]) for subject in subjects}
    # The first round warms up, on one volume: what is laid down or chosen once is not timed.
    rounds = [subjects[:1], *[subjects] * ROUNDS]
    turns = [(number, name) for number, names in enumerate(rounds) for name in names]
    shortest: dict[tuple[str, str], float] = {}
    for number, subject in progress_bar(turns, total=len(turns), label="timing"):
        # In turns, so that a machine that is busy for a while hits all methods alike.
        for method, path, steps in zip(methods, weights, timesteps, strict=True):
            seconds = seconds_to_reconstruct(
                volumes[subject], models[path], timesteps=steps, seed=seed, device=chosen_device
            )
            if number > 0:
                key = (method, subject)
                shortest[key] = min(seconds, shortest.get(key, seconds))
    rows = [
        (method, fold, dataset, modality, subject, SECONDS, shortest[method, subject])
        for method in methods
        for subject in subjects
    ]
    write_table(pd.DataFrame(rows, columns=COLUMNS), output)
    job.log(f"{len(methods)} methods, {len(subjects)} volumes of {dataset} {modality}")


def seconds_to_reconstruct(
    volume: SliceStack, method: Method, *, timesteps: list[int], seed: int, device: Device
) -> float:
    """Seconds from the slices of a volume to its reconstruction, all of the device's work done."""
    wait_for(device)
    started = time.perf_counter()
    reconstruct_volumes(
        method,
        volume.images,
        volume.subjects.tolist(),
        timesteps=timesteps,
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
            output=Path(snakemake.output[0]),
            methods=list(snakemake.params.methods),
            timesteps=[list(steps) for steps in snakemake.params.timesteps],
            dataset=snakemake.params.dataset,
            modality=snakemake.params.modality,
            fold=snakemake.params.fold,
            seed=snakemake.params.seed,
            device=snakemake.params.device,
            threads=snakemake.threads,
        )
