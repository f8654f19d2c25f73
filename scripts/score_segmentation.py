"""Score the segmentations of one method on the test subjects of one lesion set and fold."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.config.settings import settings_from
from brainuad.datasets.splits import subjects_of
from brainuad.evaluation import metrics
from brainuad.evaluation.detection import SCAN_SCORE, mean_residual
from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.images.slices import read_reconstructions, read_slices
from brainuad.io import job
from brainuad.io.tables import read_table, write_table
from brainuad.scores.postprocess import (
    Case,
    PostprocessingSettings,
    anomaly_map_of,
    cases_of,
    residual,
    segment,
)


def scores_of(
    case: Case, *, threshold: float, settings: PostprocessingSettings
) -> dict[str, float]:
    """Every segmentation metric of one subject; NaN where it is not defined."""
    difference = residual(case.image, case.reconstruction)
    scores = anomaly_map_of(case, settings)
    prediction = segment(scores, threshold, settings)
    scored = prediction & (case.lesions != IGNORED)
    return {
        "dice": metrics.dice(prediction, case.lesions),
        "auprc": metrics.average_precision(scores, case.lesions),
        "precision": metrics.precision(prediction, case.lesions),
        "recall": metrics.recall(prediction, case.lesions),
        "l1_ratio": metrics.l1_ratio(difference, case.lesions, case.brain_mask),
        "l1_ratio_released": metrics.l1_ratio_released(difference, case.lesions),
        # Of the whole brain, lesions and what is not scored included: the scan is scored as if
        # nothing were known of it.
        SCAN_SCORE: mean_residual(difference, case.brain_mask),
        "lesion_volume_ml": metrics.volume_ml(case.lesions == LESION, case.voxel_ml),
        "predicted_volume_ml": metrics.volume_ml(scored, case.voxel_ml),
    }


def main(
    *,
    slices: Path,
    split: Path,
    reconstructions: Path,
    threshold: Path,
    output: Path,
    postprocessing: dict[str, Any],
    modality: str,
) -> None:
    """Write a tidy table: subject, modality, metric, value."""
    settings = settings_from(PostprocessingSettings, postprocessing)
    fitted = json.loads(threshold.read_text(encoding="utf-8"))["threshold"]
    subjects = subjects_of(read_table(split), "test")
    cases = cases_of(read_slices(slices), read_reconstructions(reconstructions), subjects)
    rows = [
        (case.subject, modality, metric, value)
        for case in cases
        for metric, value in scores_of(case, threshold=fitted, settings=settings).items()
    ]
    job.log(f"{len(cases)} test subjects scored at threshold {fitted:.6g}")
    write_table(pd.DataFrame(rows, columns=["subject", "modality", "metric", "value"]), output)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            reconstructions=Path(snakemake.input.reconstructions),
            threshold=Path(snakemake.input.threshold),
            output=Path(snakemake.output[0]),
            postprocessing=snakemake.params.postprocessing,
            modality=snakemake.params.modality,
        )
