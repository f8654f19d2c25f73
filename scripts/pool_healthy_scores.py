"""Pool the scores of the healthy validation scans of one method and fold, voxel by voxel.

A normative score compares the voxels of every other scan with these.
"""

from pathlib import Path
from typing import Any

from brainuad.config.evaluation import FEWEST_HEALTHY_SCANS
from brainuad.datasets.partitions import VALIDATION, scans_of
from brainuad.images.computed_volumes import read_reconstructions, scans_with
from brainuad.images.distributions import write_distribution
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.io.rows import read_rows
from brainuad.scores import load_score, needs_samples


def main(
    *,
    slices: Path,
    split: Path,
    reconstructions: Path | None,
    output: Path,
    score: dict[str, Any],
) -> None:
    """Write the distribution, see `images.distributions`.

    `reconstructions` is None for a method without a model. Raises SettingsError for too few scans.
    """
    chosen, names = load_score(score), scans_of(read_rows(split), VALIDATION)
    computed = read_reconstructions(reconstructions) if reconstructions else None
    pairs = scans_with(read_slices(slices), computed, names, all_samples=needs_samples(chosen))
    if len(pairs) < FEWEST_HEALTHY_SCANS:
        raise SettingsError(
            f"{slices.stem}: {len(pairs)} healthy validation scans came through the preprocessing, "
            f"and a normative score needs {FEWEST_HEALTHY_SCANS}; raise the data set's `validation`"
        )
    distribution = chosen.reference(pairs)
    write_distribution(distribution, output)
    job.log(f"{len(pairs)} scans; mean deviation {distribution.deviation.mean():.4g}")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            reconstructions=Path(given) if (given := snakemake.input.reconstructions) else None,
            output=Path(snakemake.output.reference),
            score=snakemake.params.score,
        )
