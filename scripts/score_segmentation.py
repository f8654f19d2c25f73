"""Score the segmentations of one method on the test subjects of one cohort and fold."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.datasets.partitions import TEST, scans_of
from brainuad.evaluation import metrics
from brainuad.images.computed_volumes import read_anomaly_maps, scans_with
from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.images.slices import Scan, read_slices
from brainuad.io import job
from brainuad.io.rows import read_rows, write_rows
from brainuad.scores.postprocess import segment


def scores_of(
    scan: Scan,
    anomaly_map: np.ndarray,
    measures: Mapping[str, float],
    *,
    threshold: float,
    settings: PostprocessingSettings,
) -> dict[str, float]:
    """Every segmentation metric of one scan; NaN where it is not defined.

    measures are those of its anomaly map [S, H, W] before post-processing.
    """
    lesions = scan.lesions
    prediction = segment(anomaly_map, threshold, settings)
    scored = prediction & (lesions != IGNORED)
    return {
        "dice": metrics.dice(prediction, lesions),
        "auprc": metrics.average_precision(anomaly_map, lesions),
        "precision": metrics.precision(prediction, lesions),
        "recall": metrics.recall(prediction, lesions),
        "l1_ratio": measures["l1_ratio"],
        "l1_ratio_released": measures["l1_ratio_released"],
        metrics.SCAN_SCORE: measures[metrics.SCAN_SCORE],
        "lesion_volume_ml": metrics.volume_ml(lesions == LESION, scan.voxel_ml),
        metrics.PREDICTED_VOLUME: metrics.volume_ml(scored, scan.voxel_ml),
    }


def main(
    *,
    slices: Path,
    split: Path,
    anomaly_maps: Path,
    threshold: Path,
    output: Path,
    postprocessing: dict[str, Any],
    modality: str,
) -> None:
    """Write a tidy table: subject, session, modality, metric, value."""
    settings = settings_from(PostprocessingSettings, postprocessing)
    fitted = json.loads(threshold.read_text(encoding="utf-8"))["threshold"]
    maps = read_anomaly_maps(anomaly_maps)
    pairs = scans_with(read_slices(slices), maps, scans_of(read_rows(split), TEST))
    rows = []
    for scan, anomaly_map in pairs:
        measures = maps.measures_of(scan.name)
        scores = scores_of(scan, anomaly_map, measures, threshold=fitted, settings=settings)
        place = (scan.subject, scan.session, modality)
        rows += [(*place, metric, value) for metric, value in scores.items()]
    job.log(f"{len(pairs)} test scans scored at threshold {fitted:.6g}")
    columns = ["subject", "session", "modality", "metric", "value"]
    write_rows(columns, rows, output)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            anomaly_maps=Path(snakemake.input.anomaly_maps),
            threshold=Path(snakemake.input.threshold),
            output=Path(snakemake.output.scores),
            postprocessing=snakemake.params.postprocessing,
            modality=snakemake.params.modality,
        )
