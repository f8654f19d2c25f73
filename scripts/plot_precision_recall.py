"""Precision-recall curves of all methods on one lesion set, over the pooled test voxels."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.config.settings import settings_from
from brainuad.datasets.splits import subjects_of
from brainuad.evaluation import metrics
from brainuad.images.mask_labels import LESION
from brainuad.images.slices import SliceStack, read_reconstructions, read_slices
from brainuad.io import job
from brainuad.io.tables import read_table
from brainuad.report import names
from brainuad.report.figures import charts
from brainuad.report.figures import style as figures
from brainuad.scores.postprocess import PostprocessingSettings, anomaly_map_of, cases_of

POINTS = 600
# Of more methods than this the single timesteps of ensembles are left out.
MOST_WITH_TIMESTEPS = 4


def main(
    *,
    slices: Path,
    split: Path,
    reconstructions: list[Path],
    thresholds: list[Path],
    methods: list[str],
    svg: Path,
    png: Path,
    postprocessing: dict[str, Any],
    dataset: str,
    modality: str,
) -> None:
    """Draw one curve per method with the operating point of the fitted threshold on it.

    Of many methods, and of each whose mean over timesteps is there too, only the mean is drawn.
    """
    settings = settings_from(PostprocessingSettings, postprocessing)
    stack, subjects = read_slices(slices), subjects_of(read_table(split), "test")
    shown = figures.shown_methods(methods)
    if len(shown) <= MOST_WITH_TIMESTEPS:
        shown = methods
    styles = figures.method_styles(shown)
    with figures.house_style():
        if not has_lesions(stack, subjects):
            note = figures.note_figure("No test subject has a lesion on this grid.")
            figures.save_figure(note, svg=svg, png=png)
            return
        figure, axes = charts.precision_recall_axes(title=names.dataset_name(dataset, modality))
        files = dict(zip(methods, zip(reconstructions, thresholds, strict=True), strict=True))
        for method in shown:
            path, fitted = files[method]
            voxels = pooled_voxels(stack, path, subjects, settings)
            recalls, precisions, area = curve(voxels)
            threshold = json.loads(fitted.read_text(encoding="utf-8"))["threshold"]
            charts.draw_precision_recall(
                axes,
                recalls,
                precisions,
                point=operating_point(voxels, threshold),
                style=styles[method],
                label=f"{names.method_name(method)} ({100 * area:.1f})",
            )
            job.log(f"{method}: area {area:.4f}, {voxels.lesion_voxels} lesion voxels")
        chance = voxels.lesion_voxels / voxels.voxels
        charts.finish_precision_recall(axes, chance=chance)
        figures.save_figure(figure, svg=svg, png=png)


def pooled_voxels(
    stack: SliceStack,
    reconstructions: Path,
    subjects: Sequence[str],
    settings: PostprocessingSettings,
) -> metrics.ScoredVoxels:
    """The anomaly scores of one method on all voxels of the subjects, before components go."""
    cases = cases_of(stack, read_reconstructions(reconstructions), subjects)
    return metrics.pooled(
        metrics.scored_voxels(anomaly_map_of(case, settings), case.lesions) for case in cases
    )


def has_lesions(stack: SliceStack, subjects: Sequence[str]) -> bool:
    """Whether any of the subjects has a lesion voxel."""
    rows = np.flatnonzero(np.isin(stack.subjects, subjects))
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
    """Recall and precision of the voxels above the threshold; NaN where nothing is."""
    hits = np.count_nonzero(voxels.lesion > threshold)
    found = hits + np.count_nonzero(voxels.healthy > threshold)
    return hits / max(voxels.lesion_voxels, 1), hits / found if found else float("nan")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            reconstructions=[Path(path) for path in snakemake.input.reconstructions],
            thresholds=[Path(path) for path in snakemake.input.thresholds],
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
            **snakemake.params,
        )
