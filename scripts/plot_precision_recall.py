"""Precision-recall curves of all methods on one cohort, over the pooled test voxels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.datasets.partitions import TEST, scans_of
from brainuad.evaluation import metrics
from brainuad.images.computed_volumes import read_anomaly_maps, scans_with
from brainuad.images.mask_labels import LESION
from brainuad.images.slices import SliceStack, read_slices
from brainuad.io import job
from brainuad.io.json_files import read_json
from brainuad.io.rows import read_rows
from brainuad.report import paths_by_name
from brainuad.report.figures.precision_recall import (
    draw_precision_recall,
    finish_precision_recall,
    precision_recall_axes,
)
from brainuad.report.figures.style import house_style, note_figure, save_figure, styles_from
from brainuad.report.labels import Labels

POINTS = 600


def main(
    *,
    slices: Path,
    split: Path,
    anomaly_maps: list[Path],
    thresholds: list[Path],
    methods: list[str],
    cohort: list[str],
    svg: Path,
    png: Path,
    styles: dict[str, dict[str, str]],
    labels: dict[str, Any],
) -> None:
    """Draw one curve per method with the operating point of the fitted threshold on it.

    `anomaly_maps`, `thresholds` and `methods` are parallel; the cohort is a data set and a
    modality, `styles` are colour, line and marker of each method.
    """
    stack, names = read_slices(slices), scans_of(read_rows(split), TEST)
    named, looks = Labels(**labels), styles_from(styles)
    with house_style():
        if not has_lesions(stack, names):
            note = note_figure("No test subject has a lesion on this grid.")
            save_figure(note, svg=svg, png=png)
            return
        figure, axes = precision_recall_axes(title=named.cohort(*cohort))
        for method, path, fitted in zip(methods, anomaly_maps, thresholds, strict=True):
            voxels = pooled_voxels(stack, path, names)
            recalls, precisions, area = curve(voxels)
            threshold = read_json(fitted)["threshold"]
            draw_precision_recall(
                axes,
                recalls,
                precisions,
                point=operating_point(voxels, threshold),
                style=looks[method],
                label=f"{named.method(method)} ({100 * area:.1f})",
            )
            job.log(f"{method}: area {area:.4f}, {voxels.lesion_voxels} lesion voxels")
        chance = voxels.lesion_voxels / voxels.voxels
        finish_precision_recall(axes, chance=chance)
        save_figure(figure, svg=svg, png=png)


def pooled_voxels(
    stack: SliceStack, anomaly_maps: Path, names: Sequence[str]
) -> metrics.ScoredVoxels:
    """The anomaly scores of one method on all voxels of the scans, small components included."""
    pairs = scans_with(stack, read_anomaly_maps(anomaly_maps), names)
    return metrics.pooled(
        metrics.scored_voxels(anomaly_map, scan.lesions) for scan, anomaly_map in pairs
    )


def has_lesions(stack: SliceStack, names: Sequence[str]) -> bool:
    """Whether any of the scans has a lesion voxel."""
    rows = np.flatnonzero(np.isin(stack.names, names))
    return any((stack.lesions[row] == LESION).any() for row in rows)


def curve(voxels: metrics.ScoredVoxels) -> tuple[np.ndarray, np.ndarray, float]:
    """Recalls and precisions, thinned evenly in recall, and the whole curve's average precision."""
    _, hits, alarms = metrics.detections(voxels)
    if not len(hits):
        return np.array([]), np.array([]), float("nan")
    recalls, precisions = hits / voxels.lesion_voxels, hits / (hits + alarms)
    missed = 1 - recalls[-1]
    area = np.diff(recalls, prepend=0) @ precisions + missed * voxels.lesion_voxels / voxels.voxels
    kept = np.unique(np.searchsorted(recalls, np.linspace(0, recalls[-1], POINTS)))
    return recalls[kept], precisions[kept], float(area)


def operating_point(voxels: metrics.ScoredVoxels, threshold: float) -> tuple[float, float]:
    """Recall and precision of the voxels above the threshold; the precision of none is NaN."""
    hits = np.count_nonzero(voxels.lesion > threshold)
    found = hits + np.count_nonzero(voxels.healthy > threshold)
    return hits / max(voxels.lesion_voxels, 1), hits / found if found else float("nan")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
            labels=snakemake.params.labels,
            **paths_by_name(snakemake.input),
            **snakemake.params.arguments,
        )
