"""Score one method on the scans of one cohort after their contrast was changed by a power law.

The intensities x become x^gamma (the paper's simulated contrast); the threshold is fitted
again on the validation subjects under the same change.
"""

from pathlib import Path
from typing import Any

from brainuad.compute.device import prepare_device
from brainuad.config.device import CPU, DeviceSettings, device_of
from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.evaluation.variations import fit_and_score
from brainuad.images.contrast import with_contrast
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.rows import read_rows, write_rows
from brainuad.models import load_model
from brainuad.scores.scoring import load_scoring

COLUMNS = ["subject", "session", "modality", "gamma", "metric", "value"]


def main(
    *,
    slices: Path,
    split: Path,
    weights: Path | None,
    output: Path,
    timesteps: list[int],
    gamma: float,
    score: dict[str, Any],
    postprocessing: dict[str, Any],
    modality: str,
    seed: int,
    device: dict[str, Any],
    threads: int,
    reference: Path | None = None,
    samples: int = 1,
) -> None:
    """Write a tidy table of the test subjects: subject, session, modality, gamma, metric, value.

    weights    None for a method without a model, which ignores its timesteps
    reference  the pooled scores of healthy scans, whose contrast is not changed; None for a score
               that is not normative
    """
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    scores = fit_and_score(
        load_model(weights, chosen_device) if weights else None,
        with_contrast(read_slices(slices), gamma),
        read_rows(split),
        timesteps=timesteps,
        seed=seed,
        device=chosen_device,
        score=load_scoring(score, reference),
        settings=settings_from(PostprocessingSettings, postprocessing),
        samples=samples,
    )
    rows = [(*scan, modality, gamma, metric, value) for *scan, metric, value in scores]
    write_rows(COLUMNS, rows, output)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            weights=Path(given) if (given := snakemake.input.weights) else None,
            reference=Path(given) if (given := snakemake.input.reference) else None,
            output=Path(snakemake.output.scores),
            timesteps=list(snakemake.params.timesteps),
            gamma=snakemake.params.gamma,
            score=snakemake.params.score,
            postprocessing=snakemake.params.postprocessing,
            modality=snakemake.params.modality,
            seed=snakemake.params.seed,
            device=device_of(snakemake.config) if snakemake.input.weights else CPU,
            threads=snakemake.threads,
            samples=snakemake.params.samples,
        )
