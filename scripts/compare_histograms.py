"""Compare the intensities of scans and of their reconstructions, under changed contrasts.

For each gamma the intensities x of the test subjects become x^gamma (the paper's
simulated contrast); compared are the histograms of healthy brain voxels before and after
reconstruction.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainuad.compute.device import DeviceSettings, prepare_device
from brainuad.config.settings import settings_from
from brainuad.datasets.splits import subjects_of
from brainuad.evaluation.histograms import (
    count_values,
    densities,
    entropy_difference,
    kl_divergence,
)
from brainuad.evaluation.sweeps import Reconstructor
from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.tables import read_table, write_table
from brainuad.models import load_method
from brainuad.scores.postprocess import Case

# In the column subject: a measure of all test subjects together.
POOLED = "all"
COLUMNS = ["subject", "modality", "gamma", "metric", "value"]


def main(
    *,
    slices: Path,
    split: Path,
    weights: Path,
    measures: Path,
    histograms: Path,
    timesteps: list[int],
    gammas: list[float],
    bins: int,
    modality: str,
    seed: int,
    device: dict[str, Any],
    threads: int,
) -> None:
    """Write the measures (subject, modality, gamma, metric, value) and the pooled densities.

    The KL divergence is each subject's, the entropy difference that of all.
    The npz holds edges [B + 1], gammas [G], and scans and reconstructions [G, B].
    """
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    method = load_method(weights, chosen_device)
    reconstructor = Reconstructor(method, seed, chosen_device)
    stack, subjects = read_slices(slices), subjects_of(read_table(split), "test")
    repeats = len(gammas) * len(timesteps)
    reconstructor.compile_if_it_pays(stack.images.shape[1:], volumes=len(subjects), repeats=repeats)
    edges = np.linspace(0, 1, bins + 1)
    # ASSUME: the entropy difference is that of the histograms of all test subjects together, in
    # which each voxel counts the same: the subjects' own, of either sign, would cancel in a mean.
    pooled = np.zeros((len(gammas), 2, bins), np.int64)
    rows = []
    for number, gamma in enumerate(gammas):
        for case in reconstructor.cases(stack, subjects, timesteps=timesteps, gamma=gamma):
            counts = counts_of(case, edges)
            pooled[number] += counts
            divergence = kl_divergence(*counts)
            rows.append((case.subject, modality, gamma, "kl_divergence", divergence))
        if pooled[number].any():
            difference = entropy_difference(*pooled[number])
            rows.append((POOLED, modality, gamma, "entropy_difference", difference))
    job.log(f"{len(subjects)} test subjects, {len(gammas)} contrasts, {bins} bins")
    write_table(pd.DataFrame(rows, columns=COLUMNS), measures)
    scans, reconstructions = densities(pooled, edges).swapaxes(0, 1)
    with job.replacing(histograms) as temporary:
        np.savez(
            temporary,
            edges=edges,
            gammas=np.array(gammas, np.float64),
            scans=scans,
            reconstructions=reconstructions,
        )


def counts_of(case: Case, edges: np.ndarray) -> np.ndarray:
    """Histograms of scan and reconstruction [2, B], over healthy voxels of the brain."""
    # ASSUME: lesion and ignored voxels are left out as they are; their surroundings count.
    healthy = case.brain_mask & ~np.isin(case.lesions, (LESION, IGNORED))
    return np.stack(
        [count_values(volume[healthy], edges) for volume in (case.image, case.reconstruction)]
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
            gammas=list(snakemake.params.gammas),
            bins=snakemake.params.bins,
            modality=snakemake.params.modality,
            seed=snakemake.params.seed,
            device=snakemake.params.device,
            threads=snakemake.threads,
        )
