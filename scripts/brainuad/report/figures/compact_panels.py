"""A page of brain pictures for many methods: a column each, two rows per scan."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from brainuad.report.figures.panels import (
    MethodScale,
    MethodSlice,
    PanelRow,
    draw_lesions,
    draw_scale,
    write_name,
)
from brainuad.report.figures.pictures import (
    LESION_COLOUR,
    axial_view,
    draw_anomaly,
    draw_outline,
    draw_scan,
    mark_sides,
    write_in_corner,
)
from brainuad.report.figures.sheets import Sheet
from brainuad.report.figures.style import SOFT

CELL_WIDTH = 0.82  # inches
LETTERS_ABOVE_A_CELL = 14
# Against all of the map's colours, from black over red to yellow.
OUTLINE_COLOUR = "#ffffff"


def draw_compact_panel(
    rows: Sequence[PanelRow], scales: Sequence[MethodScale], *, title: str, aspect: float
) -> Figure:
    """Draw each test scan with all reconstructions, and below them the anomaly maps.

    Outlines on a map are the lesion and the prediction. A method without reconstructions has an
    empty place for them.
    """
    left, top, bottom, gap, row_gap = 0.46, 0.46, 0.36, 0.03, 0.09
    width = CELL_WIDTH
    height = width * aspect * rows[0].scan.shape[1] / rows[0].scan.shape[0]
    pair = 2 * height + gap + row_gap
    sheet = Sheet(left + (1 + len(scales)) * (width + gap) + gap, top + len(rows) * pair + bottom)
    sheet.write(0.04, 0.16, title, va="baseline", fontweight="bold", fontsize=9)
    for place, name in enumerate(["Scan", *(scale.name for scale in scales)]):
        x = left + place * (width + gap) + width / 2
        lines = textwrap.fill(name, LETTERS_ABOVE_A_CELL)
        sheet.write(x, top - 0.04, lines, ha="center", va="bottom", fontweight="bold", fontsize=6)
    for number, row in enumerate(rows):
        y = top + number * pair
        upper = sheet.axes(left, y, width, height)
        lower = sheet.axes(left, y + height + gap, width, height)
        for axes in (upper, lower):
            draw_scan(axes, axial_view(row.scan), window=(0, 1), aspect=aspect)
        mark_sides(upper, left="R", right="L")
        draw_lesions(lower, row.lesions)
        write_name(sheet, left - 0.17, y + height + gap / 2, row)
        for middle, kind in ((0.5, "Reconstruction"), (1.5, "Anomaly map")):
            place = (left - 0.05, y + middle * height + gap * (middle > 1))
            sheet.write(*place, kind, rotation=90, ha="right", va="center", fontsize=5.5)
        for place, (result, scale) in enumerate(zip(row.methods, scales, strict=True), start=1):
            x = left + place * (width + gap)
            if result.reconstruction is not None:
                axes = sheet.axes(x, y, width, height)
                draw_scan(axes, axial_view(result.reconstruction), window=(0, 1), aspect=aspect)
            else:
                sheet.write(
                    x + width / 2,
                    y + height / 2,
                    "no\nreconstruction",
                    ha="center",
                    va="center",
                    fontsize=5.5,
                    color=SOFT,
                )
            axes = sheet.axes(x, y + height + gap, width, height)
            _draw_map(axes, row, result, maximum=scale.maximum, aspect=aspect)
    y = top + len(rows) * pair - row_gap + gap + 0.08
    for place, scale in enumerate(scales, start=1):
        x = left + place * (width + gap)
        draw_scale(sheet.axes(x + 0.1 * width, y, 0.8 * width, 0.06), scale)
    _explain_outlines(sheet.axes(left, y - 0.03, width, 0.26))
    return sheet.figure


def _draw_map(
    axes: Axes, row: PanelRow, result: MethodSlice, *, maximum: float, aspect: float
) -> None:
    draw_anomaly(axes, axial_view(result.anomaly), maximum=maximum, aspect=aspect)
    draw_outline(axes, axial_view(result.prediction), colour=OUTLINE_COLOUR, width=0.7)
    draw_lesions(axes, row.lesions)
    if np.isfinite(result.dice):
        write_in_corner(axes, f"Dice {100 * result.dice:.0f} %", corner="bottom right")


def _explain_outlines(axes: Axes) -> None:
    """The two outlines' colours, on black as in the pictures."""
    axes.set(xticks=[], yticks=[], facecolor="black")
    axes.legend(
        handles=[
            Line2D([], [], color=LESION_COLOUR, lw=0.9, label="lesion"),
            Line2D([], [], color=OUTLINE_COLOUR, lw=0.9, label="prediction"),
        ],
        loc="center",
        fontsize=5.5,
        labelcolor="white",
        labelspacing=0.2,
        handlelength=1.4,
        borderpad=0,
    )
