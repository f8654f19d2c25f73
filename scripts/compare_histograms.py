"""Compare the intensities of scans and of their reconstructions, under a changed contrast.

The intensities x of the test subjects become x^gamma (the paper's simulated contrast); the
histograms of healthy brain voxels are compared before and after reconstruction.
"""

from pathlib import Path
from typing import Any

import numpy as np

from brainuad.compute.device import prepare_device
from brainuad.config.device import DeviceSettings, device_of
from brainuad.config.settings import settings_from
from brainuad.datasets.partitions import TEST, scans_of
from brainuad.evaluation.histograms import (
    count_values,
    densities,
    entropy_difference,
    kl_divergence,
)
from brainuad.images.computed_volumes import mean_of_samples
from brainuad.images.contrast import with_contrast
from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.images.slices import Scan, read_slices
from brainuad.inference.reconstruction import reconstruct_scans
from brainuad.io import job
from brainuad.io.rows import read_rows, write_rows
from brainuad.models import load_model

# Stands in the column subject if a measure is of all test subjects together.
POOLED = "all"
COLUMNS = ["subject", "session", "modality", "gamma", "metric", "value"]


def main(
    *,
    slices: Path,
    split: Path,
    weights: Path,
    measures: Path,
    histograms: Path,
    timesteps: list[int],
    gamma: float,
    bins: int,
    modality: str,
    seed: int,
    device: dict[str, Any],
    threads: int,
    samples: int = 1,
) -> None:
    """Write the measures and the pooled densities.

    The measures are subject, session, modality, gamma, metric, value. There is a KL divergence for
    each scan, and one entropy difference for all of them. The npz holds edges [B + 1], gamma [],
    and scans and reconstructions [B].
    """
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    model = load_model(weights, chosen_device)
    stack, names = read_slices(slices), scans_of(read_rows(split), TEST)
    edges = np.linspace(0, 1, bins + 1)
    # ASSUME: the entropy difference is that of the histograms of all test subjects together, in
    # which each voxel counts the same: the differences of single subjects have either sign and
    # would cancel in a mean.
    pooled = np.zeros((2, bins), np.int64)
    rows = []
    for scan, reconstruction in reconstruct_scans(
        model,
        with_contrast(stack, gamma),
        names,
        timesteps=timesteps,
        seed=seed,
        device=chosen_device,
        samples=samples,
    ):
        counts = counts_of(scan, mean_of_samples(reconstruction), edges)
        pooled += counts
        place = (scan.subject, scan.session, modality, gamma)
        rows.append((*place, "kl_divergence", kl_divergence(*counts)))
    if pooled.any():
        difference = entropy_difference(*pooled)
        rows.append((POOLED, "", modality, gamma, "entropy_difference", difference))
    job.log(f"{len(names)} test scans, gamma {gamma:g}, {bins} bins")
    write_rows(COLUMNS, rows, measures)
    scans, reconstructions = densities(pooled, edges)
    with job.replacing(histograms) as temporary:
        np.savez(
            temporary,
            edges=edges,
            gamma=np.float64(gamma),
            scans=scans,
            reconstructions=reconstructions,
        )


def counts_of(scan: Scan, reconstruction: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Histograms of scan and reconstruction [2, B], over healthy voxels of the brain."""
    # ASSUME: only the lesion and ignored voxels themselves are left out; those around them count.
    healthy = scan.brain_mask & ~np.isin(scan.lesions, (LESION, IGNORED))
    return np.stack(
        [count_values(volume[healthy], edges) for volume in (scan.image, reconstruction)]
    )


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            weights=Path(snakemake.input.weights),
            measures=Path(snakemake.output.measures),
            histograms=Path(snakemake.output.histograms),
            timesteps=list(snakemake.params.timesteps),
            gamma=snakemake.params.gamma,
            bins=snakemake.params.bins,
            modality=snakemake.params.modality,
            seed=snakemake.params.seed,
            device=device_of(snakemake.config),
            threads=snakemake.threads,
            samples=snakemake.params.samples,
        )
