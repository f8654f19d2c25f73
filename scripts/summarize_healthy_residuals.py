"""Summarise the anomaly maps of the healthy test subjects of one method, cohort and fold."""

from pathlib import Path

from brainuad.datasets.partitions import TEST, VALIDATION, scans_of
from brainuad.evaluation.healthy_residuals import summarize_maps, write_healthy_residuals
from brainuad.evaluation.metrics import SCAN_SCORE
from brainuad.evaluation.thresholds import healthy_scores, healthy_threshold
from brainuad.images.computed_volumes import read_anomaly_maps, scans_with
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.json_files import write_json
from brainuad.io.rows import read_rows


def main(*, slices: Path, split: Path, anomaly_maps: Path, output: Path, threshold: Path) -> None:
    """Write mean and standard deviation of each voxel, and each scan's mean residual.

    `threshold` gets the thresholds from the validation subjects' voxels as JSON; they need no
    lesion mask.
    """
    maps, stack, frame = read_anomaly_maps(anomaly_maps), read_slices(slices), read_rows(split)
    pairs = scans_with(stack, maps, scans_of(frame, TEST))
    residuals = summarize_maps(
        (anomaly_map for _, anomaly_map in pairs),
        [scan.affine for scan in pairs.scans],
        [maps.measures_of(scan.name)[SCAN_SCORE] for scan in pairs.scans],
    )
    write_healthy_residuals(residuals, output)
    validated = scans_with(stack, maps, scans_of(frame, VALIDATION))
    healthy = healthy_scores((anomaly_map, scan.brain_mask) for scan, anomaly_map in validated)
    content = healthy_threshold(healthy, subjects=len({scan.subject for scan in validated.scans}))
    write_json(content, threshold)
    job.log(f"{len(pairs)} test scans, mean residual {residuals.mean_residual.mean():.6g}")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            anomaly_maps=Path(snakemake.input.anomaly_maps),
            output=Path(snakemake.output.residuals),
            threshold=Path(snakemake.output.threshold),
        )
