"""Score how well one method reconstructs the healthy test subjects of one cohort and fold."""

from pathlib import Path

from brainuad.datasets.partitions import TEST, scans_of
from brainuad.evaluation import metrics
from brainuad.images.computed_volumes import read_anomaly_maps, read_reconstructions, scans_with
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.rows import read_rows, write_rows


def main(
    *,
    slices: Path,
    split: Path,
    reconstructions: Path,
    anomaly_maps: Path,
    output: Path,
    modality: str,
) -> None:
    """Write a tidy table: subject, session, modality, metric, value."""
    names = scans_of(read_rows(split), TEST)
    maps = read_anomaly_maps(anomaly_maps)
    pairs = scans_with(read_slices(slices), read_reconstructions(reconstructions), names)
    rows = []
    for scan, reconstruction in pairs:
        image = scan.image
        scores = {
            "l1": metrics.l1(image, reconstruction),
            "ssim": metrics.ssim(image, reconstruction),
            "psnr": metrics.psnr(image, reconstruction),
            metrics.SCAN_SCORE: maps.measures_of(scan.name)[metrics.SCAN_SCORE],
        }
        place = (scan.subject, scan.session, modality)
        rows += [(*place, metric, value) for metric, value in scores.items()]
    job.log(f"{len(pairs)} test scans scored")
    columns = ["subject", "session", "modality", "metric", "value"]
    write_rows(columns, rows, output)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            reconstructions=Path(snakemake.input.reconstructions),
            anomaly_maps=Path(snakemake.input.anomaly_maps),
            output=Path(snakemake.output.scores),
            modality=snakemake.params.modality,
        )
