"""Score one model on one cohort at a single timestep (the paper's sweep of t_test).

The scans are reconstructed from that timestep, and the threshold is fitted again on the validation
subjects.
"""

from pathlib import Path
from typing import Any

from brainuad.compute.device import prepare_device
from brainuad.config.device import DeviceSettings, device_of
from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.evaluation.variations import fit_and_score
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.rows import read_rows, write_rows
from brainuad.models import load_model
from brainuad.scores.scoring import load_scoring

COLUMNS = ["subject", "session", "modality", "timestep", "metric", "value"]


def main(
    *,
    slices: Path,
    split: Path,
    weights: Path,
    output: Path,
    timestep: int,
    score: dict[str, Any],
    postprocessing: dict[str, Any],
    modality: str,
    seed: int,
    device: dict[str, Any],
    threads: int,
) -> None:
    """Write a tidy table: subject, session, modality, timestep, metric, value."""
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    # ASSUME: the threshold is fitted again for each timestep, as for each row of the main table.
    scores = fit_and_score(
        load_model(weights, chosen_device),
        read_slices(slices),
        read_rows(split),
        timesteps=[timestep],
        seed=seed,
        device=chosen_device,
        score=load_scoring(score, None),
        settings=settings_from(PostprocessingSettings, postprocessing),
    )
    rows = [(*scan, modality, timestep, metric, value) for *scan, metric, value in scores]
    write_rows(COLUMNS, rows, output)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            weights=Path(snakemake.input.weights),
            output=Path(snakemake.output.scores),
            timestep=snakemake.params.timestep,
            score=snakemake.params.score,
            postprocessing=snakemake.params.postprocessing,
            modality=snakemake.params.modality,
            seed=snakemake.params.seed,
            device=device_of(snakemake.config),
            threads=snakemake.threads,
        )
