"""Measure what one method marks in healthy brains, where every marked voxel is a false positive.

Volumes are measured in the test subjects, shares of voxels in the validation subjects.
"""

from pathlib import Path
from typing import Any

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.datasets.partitions import TEST, VALIDATION, scans_of
from brainuad.evaluation.metrics import PREDICTED_VOLUME
from brainuad.evaluation.thresholds import healthy_scores, scores_at
from brainuad.images.computed_volumes import read_anomaly_maps, scans_with
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.json_files import read_json, write_json
from brainuad.io.rows import read_rows, write_rows


def main(
    *,
    slices: Path,
    split: Path,
    anomaly_maps: Path,
    thresholds: list[Path],
    healthy_threshold: Path,
    scores: Path,
    shares: Path,
    fitted_on: list[str],
    modality: str,
    postprocessing: dict[str, Any],
) -> None:
    """Write the volumes as a tidy table (subject, session, modality, fitted_on, metric, value).

    The shares of healthy voxels above the fitted thresholds are written as JSON. `fitted_on` names
    the lesion set of each of `thresholds`; the table has those from healthy voxels too.
    """
    settings = settings_from(PostprocessingSettings, postprocessing)
    fitted = {
        name: read_json(path)["threshold"] for name, path in zip(fitted_on, thresholds, strict=True)
    }
    on_healthy = read_json(healthy_threshold)["thresholds"]
    frame, stack = read_rows(split), read_slices(slices)
    maps = read_anomaly_maps(anomaly_maps)
    tested = scans_with(stack, maps, scans_of(frame, TEST))
    rows = [
        (scan.subject, scan.session, modality, name, metric, value)
        for scan, anomaly_map in tested
        for name, metric, value in scores_at(
            anomaly_map,
            scan.lesions,
            scan.voxel_ml,
            thresholds=fitted | on_healthy,
            settings=settings,
        )
        if metric == PREDICTED_VOLUME
    ]
    columns = ["subject", "session", "modality", "fitted_on", "metric", "value"]
    write_rows(columns, rows, scores)

    validated = scans_with(stack, maps, scans_of(frame, VALIDATION))
    healthy = healthy_scores((anomaly_map, scan.brain_mask) for scan, anomaly_map in validated)
    content = {name: healthy.share_above(value) for name, value in fitted.items()}
    write_json(content, shares)
    job.log(f"{len(tested)} test scans, {len(validated)} validation scans")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            anomaly_maps=Path(snakemake.input.anomaly_maps),
            thresholds=[Path(path) for path in snakemake.input.thresholds],
            healthy_threshold=Path(snakemake.input.healthy_threshold),
            scores=Path(snakemake.output.scores),
            shares=Path(snakemake.output.shares),
            fitted_on=list(snakemake.params.fitted_on),
            modality=snakemake.params.modality,
            postprocessing=snakemake.params.postprocessing,
        )
