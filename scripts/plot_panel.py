"""A panel of slices of one cohort: scan, reconstruction, anomaly map and prediction."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.datasets.partitions import TEST, scans_of
from brainuad.evaluation.metrics import dice, volume_ml
from brainuad.images.computed_volumes import read_anomaly_maps, scans_with
from brainuad.images.mask_labels import LESION
from brainuad.images.slices import SliceStack, largest_lesion_slice, read_slices
from brainuad.io import job
from brainuad.io.json_files import read_json
from brainuad.io.rows import read_rows
from brainuad.report import paths_by_name
from brainuad.report.figures import compact_panels, panels, pictures
from brainuad.report.figures.style import house_style, note_figure, save_figure
from brainuad.report.labels import Labels
from brainuad.scores.postprocess import segment

# More methods than this, each with three pictures per scan, would not fit on a page.
MOST_WIDE = 4
ROWS, COMPACT_ROWS = 6, 4


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
    postprocessing: dict[str, Any],
    labels: dict[str, Any],
) -> None:
    """Draw up to six test scans (up to four if there are many methods), ordered by lesion load.

    Each is shown on the axial slice with the most lesion voxels, the same for all methods. The
    cohort is a data set and a modality. `anomaly_maps` and `thresholds` are parallel to `methods`.
    """
    settings, named = settings_from(PostprocessingSettings, postprocessing), Labels(**labels)
    compact = len(methods) > MOST_WIDE
    names = scans_of(read_rows(split), TEST)
    stack = chosen_scans(read_slices(slices), names, count=COMPACT_ROWS if compact else ROWS)
    title = f"{named.cohort(*cohort)}: test subjects by lesion volume"
    with house_style():
        if not len(stack.names):
            figure = note_figure("No test subject has a lesion on this grid.")
        else:
            scales, results = [], []
            for method, maps, fitted in zip(methods, anomaly_maps, thresholds, strict=True):
                cut = read_json(fitted)["threshold"]
                found, highest = results_of(stack, maps, threshold=cut, settings=settings)
                scale = panels.MethodScale(
                    name=named.method(method),
                    maximum=max(highest, 1.25 * cut),
                    threshold=cut,
                )
                scales.append(scale)
                results.append(found)
            rows = [row_of(stack, number, results) for number in range(len(stack.names))]
            spacing = np.sqrt((stack.affines[0, :3, :3] ** 2).sum(axis=0))
            draw = compact_panels.draw_compact_panel if compact else panels.draw_panel
            figure = draw(rows, scales, title=title, aspect=float(spacing[1] / spacing[0]))
        save_figure(figure, svg=svg, png=png)
    job.log(f"drawn: {', '.join(stack.names)}")


def chosen_scans(stack: SliceStack, names: Sequence[str], *, count: int) -> SliceStack:
    """The scans that are drawn, from the smallest lesion load to the largest."""
    rows = np.flatnonzero(np.isin(stack.names, names))
    volumes = [volume_ml(stack.lesions[row] == LESION, stack.voxel_ml(row)) for row in rows]
    chosen = pictures.spread_by_size(volumes, count=count)
    return stack.select([stack.names[row] for row in rows[chosen]])


def shown_part(stack: SliceStack) -> tuple[slice, slice]:
    """The part of the axial plane [x, y] that holds every brain shown."""
    return pictures.bounding_box(stack.brain_masks.any(axis=(0, 1)), margin=2)


def results_of(
    stack: SliceStack,
    anomaly_maps: Path,
    *,
    threshold: float,
    settings: PostprocessingSettings,
) -> tuple[list[panels.MethodSlice], float]:
    """One method's slice of each scan, and the 99.5th percentile of their anomaly scores > 0."""
    box = shown_part(stack)
    maps = read_anomaly_maps(anomaly_maps)
    slices, scores = [], []
    for scan, anomaly in scans_with(stack, maps, stack.names):
        number, picture = largest_lesion_slice(scan.lesions), maps.pictured_of(scan.name)
        prediction = segment(anomaly, threshold, settings)
        scores.append(anomaly[number][anomaly[number] > 0])
        slices.append(
            panels.MethodSlice(
                reconstruction=None if picture is None else picture[box],
                anomaly=anomaly[number][box],
                prediction=prediction[number][box],
                dice=dice(prediction, scan.lesions),
            )
        )
    scores = np.concatenate(scores)
    return slices, float(np.percentile(scores, 99.5)) if scores.size else 1.0


def row_of(
    stack: SliceStack, number: int, results: list[list[panels.MethodSlice]]
) -> panels.PanelRow:
    """One scan with the results of all methods."""
    lesions = stack.lesions[number]
    place = largest_lesion_slice(lesions)
    box = shown_part(stack)
    return panels.PanelRow(
        name=stack.names[number],
        lesion_volume_ml=volume_ml(lesions == LESION, stack.voxel_ml(number)),
        has_native_size=stack.has_native_size(number),
        scan=stack.images[number, place][box],
        lesions=lesions[place][box],
        methods=tuple(found[number] for found in results),
    )


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
            labels=snakemake.params.labels,
            **paths_by_name(snakemake.input),
            **snakemake.params.arguments,
        )
