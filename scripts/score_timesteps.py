"""Score one method on one lesion set at each of a row of timesteps (the paper's sweep of t_test).

At each timestep the scans are reconstructed from it alone, and the threshold is fitted anew on the
validation subjects.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.compute.device import DeviceSettings, prepare_device
from brainuad.config.settings import settings_from
from brainuad.evaluation.sweeps import Reconstructor, score_anew
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.tables import read_table, write_table
from brainuad.models import load_method
from brainuad.scores.postprocess import PostprocessingSettings

COLUMNS = ["subject", "modality", "timestep", "metric", "value"]


def main(
    *,
    slices: Path,
    split: Path,
    weights: Path,
    output: Path,
    timesteps: list[int],
    postprocessing: dict[str, Any],
    modality: str,
    seed: int,
    device: dict[str, Any],
    threads: int,
) -> None:
    """Write a tidy table of the test subjects: subject, modality, timestep, metric, value."""
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    method = load_method(weights, chosen_device)
    reconstructor = Reconstructor(method, seed, chosen_device)
    stack, partitions = read_slices(slices), read_table(split)
    reconstructor.compile_if_it_pays(
        stack.images.shape[1:], volumes=len(stack.images), repeats=len(timesteps)
    )
    settings = settings_from(PostprocessingSettings, postprocessing)
    # ASSUME: the threshold is fitted anew at each timestep, as for each row of the main table.
    scores = [
        score_anew(
            reconstructor,
            stack,
            partitions,
            timesteps=[timestep],
            gamma=1.0,
            settings=settings,
        ).assign(modality=modality, timestep=timestep)
        for timestep in timesteps
    ]
    write_table(pd.concat(scores)[COLUMNS], output)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            weights=Path(snakemake.input.weights),
            output=Path(snakemake.output.scores),
            timesteps=list(snakemake.params.timesteps),
            postprocessing=snakemake.params.postprocessing,
            modality=snakemake.params.modality,
            seed=snakemake.params.seed,
            device=snakemake.params.device,
            threads=snakemake.threads,
        )
