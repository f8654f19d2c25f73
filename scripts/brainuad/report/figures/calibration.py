"""What a threshold that comes from elsewhere costs in Dice, a heat map per data set."""

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from brainuad.evaluation.thresholds import ON_HEALTHY, ON_TEST
from brainuad.io.tables import read_table
from brainuad.report.figures.style import INK, PAGE_WIDTH, SOFT, note_figure
from brainuad.report.labels import Labels
from brainuad.report.metric_formats import DASH, number

PANELS_PER_ROW = 4
ROW_HEIGHT, PANEL_WIDTH, ABOVE_A_PANEL, BELOW = 0.21, 1.57, 0.6, 0.7  # inches
# Above a panel fit so many letters side by side.
LETTERS_PER_PANEL = 27
# Both ends are light enough for black numbers, and told apart with any colour vision.
COLOURS = sns.diverging_palette(40, 250, s=80, l=62, as_cmap=True)
UNKNOWN_COLOUR = "#ededed"
# Where no threshold costs anything, the colours must not show noise.
LEAST_RANGE = 5.0


def draw(table: Path, *, labels: Labels) -> Figure:
    """Draw the table of calibration."""
    return calibration_maps(read_table(table), labels)


def calibration_maps(table: pd.DataFrame, labels: Labels) -> Figure:
    """A panel per data set: methods x thresholds, the Dice as numbers, the difference as colour.

    table is that of `calibration.summarize_thresholds`. The first column of a panel is the set's
    own threshold, the last two are that of healthy voxels and the best possible. Without a row a
    strip says so.
    """
    if table.empty:
        return note_figure("There are no scores at the thresholds of other data sets.")
    methods = list(dict.fromkeys(table["method"]))
    places = list(dict.fromkeys(zip(table["dataset"], table["modality"], strict=True)))
    columns = min(PANELS_PER_ROW, len(places))
    rows = -(-len(places) // columns)
    # The colour bar's label wants the width of two panels.
    width = PAGE_WIDTH - PANEL_WIDTH * (PANELS_PER_ROW - max(columns, 2))
    height = rows * (ABOVE_A_PANEL + ROW_HEIGHT * len(methods)) + BELOW
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    reach = max(LEAST_RANGE, 100 * table["to_own"].abs().max())
    norm = Normalize(-reach, reach)
    for axes, (dataset, modality) in zip(panels, places, strict=False):
        here = table[(table["dataset"] == dataset) & (table["modality"] == modality)]
        mesh = _draw_map(axes, here, methods, norm, labels)
        axes.set_title(labels.cohort(dataset, modality))
    for axes in panels[len(places) :]:
        axes.set_visible(False)
    figure.colorbar(
        mesh,
        ax=panels.tolist(),
        location="bottom",
        label="Dice minus that at the own threshold (percentage points)",
        fraction=0.06,
        aspect=40,
        shrink=0.7,
    )
    return figure


def _draw_map(
    axes: Axes, table: pd.DataFrame, methods: list[str], norm: Normalize, labels: Labels
) -> QuadMesh:
    """The map of one data set; returns what the colour bar belongs to."""
    own, modality = table[["dataset", "modality"]].iloc[0]
    healthy, *higher_shares = ON_HEALTHY
    apart = (own, healthy, *higher_shares, ON_TEST)
    others = [name for name in dict.fromkeys(table["fitted_on"]) if name not in apart]
    thresholds = [own, *others, healthy, ON_TEST]
    by_cell = table.set_index(["method", "fitted_on"])
    by_cell = by_cell.reindex(pd.MultiIndex.from_product([methods, thresholds]))
    shape = len(methods), len(thresholds)
    dices, differences = (
        by_cell[name].to_numpy(dtype=float).reshape(shape) for name in ("mean", "to_own")
    )
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(100 * differences), cmap=COLOURS, norm=norm, edgecolor="white", lw=1
    )
    axes.set_facecolor(UNKNOWN_COLOUR)
    for (row, column), dice in np.ndenumerate(dices):
        text = number(dice, "dice")
        axes.text(
            column + 0.5,
            row + 0.5,
            text,
            ha="center",
            va="center",
            fontsize=6.5,
            color=SOFT if text == DASH else INK,
        )
    names = ["own", *(labels.lesion_set(name, modality) for name in others)]
    names += [f"{ON_HEALTHY[healthy]:.0%}", "best"]
    axes.xaxis.tick_top()
    axes.set_xticks(np.arange(len(thresholds)) + 0.5, names)
    if max(map(len, names)) > LETTERS_PER_PANEL / len(names):
        for label in axes.get_xticklabels():
            label.set(rotation=30, ha="left", rotation_mode="anchor")
    axes.set_yticks(np.arange(len(methods)) + 0.5, [labels.method(method) for method in methods])
    axes.tick_params(length=0, pad=3)
    axes.set_ylim(len(methods), 0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return mesh
