"""Score how well one method reconstructs the healthy test subjects of one fold."""

from pathlib import Path

import pandas as pd

from brainuad.datasets.splits import subjects_of
from brainuad.evaluation import metrics
from brainuad.evaluation.detection import SCAN_SCORE, mean_residual
from brainuad.images.slices import read_reconstructions, read_slices
from brainuad.io import job
from brainuad.io.tables import read_table, write_table
from brainuad.scores.postprocess import Case, cases_of, residual


def scores_of(case: Case) -> dict[str, float]:
    """Every metric of one subject's reconstruction."""
    return {
        "l1": metrics.l1(case.image, case.reconstruction),
        "ssim": metrics.ssim(case.image, case.reconstruction),
        "psnr": metrics.psnr(case.image, case.reconstruction),
        SCAN_SCORE: mean_residual(residual(case.image, case.reconstruction), case.brain_mask),
    }


def main(
    *,
    slices: list[Path],
    split: Path,
    reconstructions: list[Path],
    output: Path,
    modalities: list[str],
) -> None:
    """Write a tidy table: subject, modality, metric, value.

    `slices`, `reconstructions` and `modalities` are parallel, an entry per modality.
    """
    subjects = subjects_of(read_table(split), "test")
    rows = []
    for stack, reconstructed, modality in zip(slices, reconstructions, modalities, strict=True):
        cases = cases_of(read_slices(stack), read_reconstructions(reconstructed), subjects)
        rows += [
            (case.subject, modality, metric, value)
            for case in cases
            for metric, value in scores_of(case).items()
        ]
        job.log(f"{len(cases)} test subjects scored in {modality}")
    write_table(pd.DataFrame(rows, columns=["subject", "modality", "metric", "value"]), output)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=[Path(path) for path in snakemake.input.slices],
            split=Path(snakemake.input.split),
            reconstructions=[Path(path) for path in snakemake.input.reconstructions],
            output=Path(snakemake.output[0]),
            modalities=snakemake.params.modalities,
        )
