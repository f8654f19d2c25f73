"""Score how well one method reconstructs the healthy test subjects of one fold."""

from pathlib import Path

import pandas as pd

from brainuad import job, metrics
from brainuad.postprocess import cases_of
from brainuad.slices import read_reconstructions, read_slices
from brainuad.splits import subjects_of
from brainuad.tables import read_table, write_table


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
    measures = {"l1": metrics.l1, "ssim": metrics.ssim, "psnr": metrics.psnr}
    rows = []
    for stack, reconstructed, modality in zip(slices, reconstructions, modalities, strict=True):
        cases = cases_of(read_slices(stack), read_reconstructions(reconstructed), subjects)
        rows += [
            (case.subject, modality, metric, measure(case.image, case.reconstruction))
            for case in cases
            for metric, measure in measures.items()
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
