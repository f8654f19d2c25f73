"""Summarise the anomaly maps of the healthy test subjects of one method, cohort and fold."""

from pathlib import Path

from brainuad.datasets.splits import TEST, scans_of
from brainuad.evaluation.healthy_residuals import summarize_maps, write_healthy_residuals
from brainuad.evaluation.metrics import SCAN_SCORE
from brainuad.images.computed_volumes import read_anomaly_maps, scans_with
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.tables import read_table


def main(*, slices: Path, split: Path, anomaly_maps: Path, output: Path) -> None:
    """Write mean and deviation of each voxel, and each scan's mean residual."""
    maps = read_anomaly_maps(anomaly_maps)
    pairs = scans_with(read_slices(slices), maps, scans_of(read_table(split), TEST))
    residuals = summarize_maps(
        (anomaly_map for _, anomaly_map in pairs),
        [scan.affine for scan in pairs.scans],
        [maps.measures_of(scan.name)[SCAN_SCORE] for scan in pairs.scans],
    )
    write_healthy_residuals(residuals, output)
    job.log(f"{len(pairs)} test scans, mean residual {residuals.mean_residual.mean():.6g}")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            anomaly_maps=Path(snakemake.input.anomaly_maps),
            output=Path(snakemake.output.residuals),
        )
