"""Pages of brain pictures: a panel with a row per scan and a column per method."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.report.figures.pictures import (
    ANOMALY_COLOURS,
    IGNORED_COLOUR,
    LESION_COLOUR,
    PREDICTION_COLOUR,
    axial_view,
    draw_anomaly,
    draw_filled,
    draw_outline,
    draw_scan,
    mark_sides,
    write_in_corner,
)
from brainuad.report.figures.sheets import Sheet
from brainuad.report.figures.style import INK, PAGE_WIDTH

CELL_WIDTHS = (0.72, 1.25)  # inches: smallest and largest picture of a panel


@dataclass(frozen=True)
class MethodSlice:
    """What one method made of one axial slice; arrays [x, y].

    reconstruction  None of a method without a model
    """

    reconstruction: np.ndarray | None
    anomaly: np.ndarray
    prediction: np.ndarray
    dice: float


@dataclass(frozen=True)
class PanelRow:
    """One scan of a panel: an axial slice [x, y] of scan and lesions, and a slice per method."""

    name: str
    lesion_volume_ml: float
    has_native_size: bool
    scan: np.ndarray
    lesions: np.ndarray
    methods: tuple[MethodSlice, ...]


@dataclass(frozen=True)
class MethodScale:
    """How a method's anomaly maps are shown: its name, where its colours end, its threshold."""

    name: str
    maximum: float
    threshold: float


def draw_panel(
    rows: Sequence[PanelRow], scales: Sequence[MethodScale], *, title: str, aspect: float
) -> Figure:
    """Subjects below each other; beside the scan, each method's reconstruction, map, prediction.

    A method without reconstructions has no column for them. The figure is as wide as a page, or
    wider where the pictures would become too small.
    """
    shown = [result.reconstruction is not None for result in rows[0].methods]
    columns = 1 + sum(3 if has else 2 for has in shown)
    height_over_width = aspect * rows[0].scan.shape[1] / rows[0].scan.shape[0]
    left, top, bottom, gap, group_gap = 0.36, 0.62, 0.36, 0.03, 0.12
    free = PAGE_WIDTH - left - gap * columns - group_gap * len(scales)
    width = float(np.clip(free / columns, *CELL_WIDTHS))
    height = width * height_over_width
    sheet = Sheet(
        left + columns * (width + gap) + group_gap * len(scales),
        top + len(rows) * (height + gap) + bottom,
    )
    sheet.write(0.04, 0.16, title, va="baseline", fontweight="bold", fontsize=9)
    heading = {"ha": "center", "va": "baseline", "fontsize": 6}
    sheet.write(left + width / 2, top - 0.06, "Scan and lesion", **heading)
    for number, row in enumerate(rows):
        y = top + number * (height + gap)
        axes = sheet.axes(left, y, width, height)
        draw_scan(axes, axial_view(row.scan), window=(0, 1), aspect=aspect)
        draw_lesions(axes, row.lesions)
        mark_sides(axes, left="R", right="L")
        write_name(sheet, left - 0.05, y + height / 2, row)
    x = left + width + gap + group_gap
    for place, (scale, has) in enumerate(zip(scales, shown, strict=True)):
        kinds = ["Reconstruction", "Anomaly map", "Prediction"][0 if has else 1 :]
        span = len(kinds) * (width + gap) - gap
        bold = heading | {"fontweight": "bold", "fontsize": 7.5}
        sheet.write(x + span / 2, top - 0.24, scale.name, **bold)
        for kind in kinds:
            sheet.write(x + width / 2, top - 0.06, kind, **heading)
            for number, row in enumerate(rows):
                axes = sheet.axes(x, top + number * (height + gap), width, height)
                _draw_method(axes, row, row.methods[place], kind=kind, scale=scale, aspect=aspect)
            if kind == "Anomaly map":
                y = top + len(rows) * (height + gap) + 0.08
                draw_scale(sheet.axes(x + 0.1 * width, y, 0.8 * width, 0.06), scale)
            x += width + gap
        x += group_gap
    return sheet.figure


def write_name(sheet: Sheet, x: float, y: float, row: PanelRow) -> None:
    """Write who it is and how much lesion there is, upwards, at the left of its pictures."""
    place = "" if row.has_native_size else " (grid)"
    sheet.write(
        x,
        y,
        f"{row.name}\n{row.lesion_volume_ml:.3g} ml{place}",
        rotation=90,
        ha="right",
        va="center",
        fontsize=5.5,
        linespacing=1.3,
        multialignment="center",
    )


def _draw_method(
    axes: Axes, row: PanelRow, result: MethodSlice, *, kind: str, scale: MethodScale, aspect: float
) -> None:
    if kind == "Reconstruction":
        draw_scan(axes, axial_view(result.reconstruction), window=(0, 1), aspect=aspect)
    elif kind == "Anomaly map":
        draw_anomaly(axes, axial_view(result.anomaly), maximum=scale.maximum, aspect=aspect)
        draw_lesions(axes, row.lesions)
    else:
        draw_scan(axes, axial_view(row.scan), window=(0, 1), aspect=aspect)
        draw_filled(axes, axial_view(result.prediction), colour=PREDICTION_COLOUR)
        draw_lesions(axes, row.lesions)
        if np.isfinite(result.dice):
            write_in_corner(axes, f"Dice {100 * result.dice:.0f} %", corner="bottom right")


def draw_lesions(axes: Axes, lesions: np.ndarray) -> None:
    """Outline lesions [x, y], and dotted what is not scored."""
    draw_outline(axes, axial_view(lesions == IGNORED), colour=IGNORED_COLOUR, line=":")
    draw_outline(axes, axial_view(lesions == LESION), colour=LESION_COLOUR)


def draw_scale(axes: Axes, scale: MethodScale) -> None:
    """A colour bar from 0 to the maximum; the tick in the middle is the threshold."""
    ramp = np.linspace(0, 1, 256)[np.newaxis]
    axes.imshow(ramp, cmap=ANOMALY_COLOURS, aspect="auto", extent=(0, scale.maximum, 0, 1))
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks([0, scale.maximum], ["0", f"{scale.maximum:.2g}"])
    axes.set_yticks([])
    axes.tick_params(length=0, pad=1.5, labelsize=5.5)
    if 0 <= scale.threshold <= scale.maximum:
        axes.plot(scale.threshold, 1.5, marker="v", ms=3, color=INK, clip_on=False, ls="")
        axes.set(xlim=(0, scale.maximum), ylim=(0, 1))
