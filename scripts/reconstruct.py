"""Reconstruct the scans of one cohort with the weights of one model and fold."""

from pathlib import Path
from typing import Any

from brainuad.compute.device import prepare_device
from brainuad.config.device import DeviceSettings, device_of
from brainuad.config.settings import settings_from
from brainuad.datasets.partitions import scans_of
from brainuad.images.computed_volumes import write_reconstructions
from brainuad.images.slices import read_slices
from brainuad.inference.reconstruction import reconstruct_scans
from brainuad.io import job
from brainuad.io.rows import read_rows
from brainuad.models import load_model


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
    samples: int = 1,
) -> None:
    """Write the reconstructions of the scans of the partitions, see `write_reconstructions`."""
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    model = load_model(weights, chosen_device)
    stack, frame = read_slices(slices), read_rows(split)
    wanted = [name for partition in partitions for name in scans_of(frame, partition)]
    # A leak that the config keeps is in two partitions, but is reconstructed once.
    names = [scan.name for scan in stack.scans(list(dict.fromkeys(wanted)))]
    pairs = reconstruct_scans(
        model,
        stack,
        names,
        timesteps=timesteps,
        seed=seed,
        device=chosen_device,
        samples=samples,
    )
    reconstructions = (reconstruction for _, reconstruction in pairs)
    write_reconstructions(
        output, names, reconstructions, shape=stack.images.shape[1:], samples=samples
    )
    job.log(f"{len(names)} of {len(wanted)} scans, timesteps {timesteps}, samples {samples}")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            weights=Path(snakemake.input.weights),
            output=Path(snakemake.output.reconstructions),
            partitions=list(snakemake.params.partitions),
            timesteps=list(snakemake.params.timesteps),
            seed=snakemake.params.seed,
            device=device_of(snakemake.config),
            threads=snakemake.threads,
            samples=snakemake.params.samples,
        )
