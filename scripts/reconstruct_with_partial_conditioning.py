"""Reconstruct healthy test scans, of which the encoder sees only a part, and measure both parts."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.compute.device import prepare_device
from brainuad.config.device import DeviceSettings, device_of
from brainuad.config.settings import settings_from
from brainuad.images.slices import read_slices
from brainuad.inference.partial_conditioning import reconstruct_by_visible_fraction
from brainuad.inference.reconstruction import scans_to_reconstruct
from brainuad.inference.visible_part import l1_by_region, middle_slice
from brainuad.io import job
from brainuad.io.progress import progress_bar
from brainuad.io.rows import write_rows
from brainuad.models import load_model

# Scans whose middle slice is kept for a figure.
PICTURED = 3
COLUMNS = ["subject", "session", "modality", "timestep", "share", "region", "metric", "value"]


def main(
    *,
    slices: Path,
    split: Path,
    weights: Path,
    reconstructions: Path,
    measures: Path,
    timesteps: list[int],
    visible_fractions: list[float],
    modality: str,
    seed: int,
    device: dict[str, Any],
    threads: int,
) -> None:
    """Write one slice of a few test scans as npz, and a tidy table of all scans and slices.

    The npz holds names [N], timesteps [T], shares [C], images and brain_masks [N, H, W], and
    reconstructions [T, C, N, H, W]. `shares` and the table's column share hold the visible fraction
    of the width. The table's regions are the same for all fractions: the hidden region is the one
    that the smallest fraction hides.
    """
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    model = load_model(weights, chosen_device)
    stack = read_slices(slices)
    names = scans_to_reconstruct(stack, split, slices=slices)
    rows, pictures = [], []
    for name in progress_bar(names, total=len(names), label="scans"):
        # One volume at a time: a cohort at all timesteps and fractions may not fit into memory.
        volume = stack.select([name])
        by_fraction = reconstruct_by_visible_fraction(
            volume,
            model,
            timesteps=timesteps,
            visible_fractions=visible_fractions,
            seed=seed,
            device=chosen_device,
        )
        person = (volume.subjects[0], volume.sessions[0])
        image, brain_mask = volume.images[0], volume.brain_masks[0]
        for (t, timestep), (c, fraction) in product(
            enumerate(timesteps), enumerate(visible_fractions)
        ):
            l1 = l1_by_region(
                image, by_fraction[t, c], brain_mask, visible_fraction=min(visible_fractions)
            )
            rows += [
                (*person, modality, timestep, fraction, region, "l1", value)
                for region, value in l1.items()
            ]
        if len(pictures) < PICTURED:
            z = middle_slice(brain_mask)
            pictures.append((image[z], brain_mask[z], by_fraction[:, :, z].copy()))
    write_rows(COLUMNS, rows, measures)
    images, brain_masks, reconstructed_slices = zip(*pictures, strict=True)
    with job.replacing(reconstructions) as temporary:
        np.savez(
            temporary,
            names=np.array(names[:PICTURED]),
            timesteps=np.array(timesteps),
            shares=np.array(visible_fractions, dtype=float),
            images=np.stack(images),
            brain_masks=np.stack(brain_masks),
            reconstructions=np.stack(reconstructed_slices, axis=2),
        )
    job.log(f"{len(names)} scans, timesteps {timesteps}, visible {visible_fractions}")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            weights=Path(snakemake.input.weights),
            reconstructions=Path(snakemake.output.reconstructions),
            measures=Path(snakemake.output.measures),
            timesteps=list(snakemake.params.timesteps),
            visible_fractions=list(snakemake.params.visible_fractions),
            modality=snakemake.params.modality,
            seed=snakemake.params.seed,
            device=device_of(snakemake.config),
            threads=snakemake.threads,
        )
