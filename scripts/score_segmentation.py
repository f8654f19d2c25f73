"""Fit the threshold of one method on the validation scans of one cohort and fold, and score.

The anomaly maps of the test scans are binarized at it, or at a given threshold, and compared with
their lesion masks, voxel by voxel and lesion by lesion.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.datasets.partitions import TEST, VALIDATION, scans_of
from brainuad.evaluation import metrics
from brainuad.evaluation.lesions import (
    FACTORS,
    FROC_COLUMNS,
    LESION_COLUMNS,
    froc_counts,
    lesion_rows,
    lesion_scores,
    lesions_of,
    match_lesions,
)
from brainuad.evaluation.thresholds import (
    FEWEST_LESION_VOXELS,
    FEWEST_PATIENTS,
    best_threshold,
    rests_on_little,
)
from brainuad.images.computed_volumes import ScansWithVolumes, read_anomaly_maps, scans_with
from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.images.slices import Scan, read_slices
from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.io.json_files import read_json, write_json
from brainuad.io.rows import read_rows, write_rows
from brainuad.scores.postprocess import segment


def scores_of(
    scan: Scan,
    anomaly_map: np.ndarray,
    measures: Mapping[str, float],
    *,
    threshold: float,
    healthy_threshold: float,
    settings: PostprocessingSettings,
) -> dict[str, float]:
    """Every voxel-wise segmentation metric of one scan; NaN where it is not defined.

    measures are those of its anomaly map [S, H, W] before post-processing.
    """
    lesions = scan.lesions
    prediction = segment(anomaly_map, threshold, settings)
    by_healthy = segment(anomaly_map, healthy_threshold, settings)
    scored = prediction & (lesions != IGNORED)
    return {
        "dice": metrics.dice(prediction, lesions),
        "dice_healthy": metrics.dice(by_healthy, lesions),
        "auprc": metrics.average_precision(anomaly_map, lesions),
        "precision": metrics.precision(prediction, lesions),
        "recall": metrics.recall(prediction, lesions),
        "l1_ratio": measures["l1_ratio"],
        "l1_ratio_released": measures["l1_ratio_released"],
        metrics.SCAN_SCORE: measures[metrics.SCAN_SCORE],
        "lesion_volume_ml": metrics.volume_ml(lesions == LESION, scan.voxel_ml),
        metrics.PREDICTED_VOLUME: metrics.volume_ml(scored, scan.voxel_ml),
    }


def fit_threshold(pairs: ScansWithVolumes, slices: Path) -> dict[str, float]:
    """The threshold with the best Dice on the pooled voxels of validation scans, and its basis.

    pairs are the scans with their anomaly maps, from the file `slices`. The basis is how many
    subjects, patients and lesion voxels there were. Raises SettingsError if there are no scans.
    """
    if not pairs:
        raise SettingsError(
            f"{slices.stem}: none of the validation scans came through the preprocessing, so "
            f"that no threshold can be fitted; {slices.with_suffix('')}_left_out.tsv says why"
        )
    # ASSUME: a threshold is fitted on the pooled voxels of all validation scans, so that a subject
    # with several sessions or with large lesions has more weight.
    voxels = []

    def volumes() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for scan, anomaly_map in pairs:
            lesions = scan.lesions
            voxels.append(int(np.count_nonzero(lesions == LESION)))
            yield anomaly_map, lesions

    threshold = best_threshold(volumes())
    content = {
        "threshold": threshold.value,
        "validation_dice": threshold.dice,
        "subjects": len({scan.subject for scan in pairs.scans}),
        "patients": len(
            {scan.subject for scan, count in zip(pairs.scans, voxels, strict=True) if count}
        ),
        "lesion_voxels": sum(voxels),
    }
    job.log(
        f"threshold {threshold.value:.6g}, Dice {threshold.dice:.4f}, {len(pairs)} scans, "
        f"{content['patients']} of them with a lesion, {content['lesion_voxels']} lesion voxels"
    )
    if rests_on_little(content["patients"], content["lesion_voxels"]):
        job.log(
            f"warning: a threshold from fewer than {FEWEST_PATIENTS} patients or "
            f"{FEWEST_LESION_VOXELS} lesion voxels says little; raise the data set's `validation`"
        )
    return content


def main(
    *,
    slices: Path,
    split: Path,
    anomaly_maps: Path,
    threshold: Path,
    healthy_threshold: Path,
    fits: bool,
    scores: Path,
    lesions: Path,
    froc: Path,
    postprocessing: dict[str, Any],
    modality: str,
) -> None:
    """Write three tidy tables about the test scans.

    scores   subject, session, modality, metric, value
    lesions  a row per lesion: subject, session, modality, LESION_COLUMNS
    froc     a row per threshold, counts over all scans: modality, FROC_COLUMNS

    `threshold` is a JSON file; if `fits` is true, it is fitted and written here, else it is given.
    `healthy_threshold` is the file with the threshold from healthy voxels.
    """
    settings = settings_from(PostprocessingSettings, postprocessing)
    stack, frame, maps = read_slices(slices), read_rows(split), read_anomaly_maps(anomaly_maps)
    if fits:
        fitted = fit_threshold(scans_with(stack, maps, scans_of(frame, VALIDATION)), slices)
        write_json(fitted, threshold)
    value, healthy = (read_json(path)["threshold"] for path in (threshold, healthy_threshold))
    thresholds = [factor * value for factor in FACTORS]
    pairs = scans_with(stack, maps, scans_of(frame, TEST))
    score_table, lesion_table = [], []
    counts = np.zeros((len(FACTORS), 2), int)
    for scan, anomaly_map in pairs:
        place = (scan.subject, scan.session, modality)
        found = scores_of(
            scan,
            anomaly_map,
            maps.measures_of(scan.name),
            threshold=value,
            healthy_threshold=healthy,
            settings=settings,
        )
        marked = lesions_of(scan.lesions)
        matches = match_lesions(segment(anomaly_map, value, settings), marked)
        found |= lesion_scores(matches)
        score_table += [(*place, metric, score) for metric, score in found.items()]
        rows = lesion_rows(marked, matches, anomaly_map, scan.voxel_ml)
        lesion_table += [(*place, *row) for row in rows]
        counts += froc_counts(marked, anomaly_map, thresholds, settings)
    totals = (len(pairs), len(lesion_table))
    froc_table = [
        (modality, factor, cut, *totals, *row)
        for factor, cut, row in zip(FACTORS, thresholds, counts.tolist(), strict=True)
    ]
    job.log(f"{len(pairs)} test scans scored at threshold {value:.6g}")
    scan_columns = ["subject", "session", "modality"]
    write_rows([*scan_columns, "metric", "value"], score_table, scores)
    write_rows([*scan_columns, *LESION_COLUMNS], lesion_table, lesions)
    write_rows(["modality", *FROC_COLUMNS], froc_table, froc)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        given = snakemake.input.threshold
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            anomaly_maps=Path(snakemake.input.anomaly_maps),
            threshold=Path(given or snakemake.output.threshold),
            healthy_threshold=Path(snakemake.input.healthy_threshold),
            fits=not given,
            scores=Path(snakemake.output.scores),
            lesions=Path(snakemake.output.lesions),
            froc=Path(snakemake.output.froc),
            postprocessing=snakemake.params.postprocessing,
            modality=snakemake.params.modality,
        )
