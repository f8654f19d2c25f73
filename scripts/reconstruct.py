"""Reconstruct the subjects of one data set with the weights of one method and fold."""

from pathlib import Path
from typing import Any

import numpy as np

from brainuad.compute.device import DeviceSettings, prepare_device
from brainuad.config.settings import settings_from
from brainuad.datasets.splits import subjects_of
from brainuad.images.slices import read_slices
from brainuad.inference.reconstruction import reconstruct_volumes
from brainuad.io import job
from brainuad.io.tables import read_table
from brainuad.models import load_method


def main(
    *,
    slices: Path,
    split: Path,
    weights: Path,
    output: Path,
    partitions: list[str],
    timesteps: list[int],
    seed: int,
    device: dict[str, Any],
    threads: int,
) -> None:
    """Write subjects [N] and reconstructions float32 [N, S, H, W] of the partitions as npz."""
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    method = load_method(weights, chosen_device)
    frame = read_table(split)
    wanted = [subject for partition in partitions for subject in subjects_of(frame, partition)]
    # A leak that the config keeps stands in two partitions, and is reconstructed once.
    stack = read_slices(slices).select(list(dict.fromkeys(wanted)))
    reconstructions = reconstruct_volumes(
        method,
        stack.images,
        stack.subjects.tolist(),
        timesteps=timesteps,
        seed=seed,
        device=chosen_device,
    )
    with job.replacing(output) as temporary:
        np.savez(temporary, subjects=stack.subjects, reconstructions=reconstructions)
    job.log(f"{len(stack.subjects)} of {len(wanted)} subjects, timesteps {list(timesteps)}")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            weights=Path(snakemake.input.weights),
            output=Path(snakemake.output[0]),
            partitions=list(snakemake.params.partitions),
            timesteps=list(snakemake.params.timesteps),
            seed=snakemake.params.seed,
            device=snakemake.params.device,
            threads=snakemake.threads,
        )
