"""Precision against recall, a curve per method with the point of its threshold."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from brainuad.report.figures.style import FAINT, SOFT, MethodStyle

DICE_GUIDES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
PRECISION_ENDS = (0.05, 0.1, 0.2, 0.4, 1.0)
# Up to this recall a curve rests on so few voxels that it jumps.
STEEP_RECALL = 0.05


def precision_recall_axes(*, title: str) -> tuple[Figure, Axes]:
    """An empty precision-recall plane, both axes in per cent."""
    width, height, left, bottom, side = 5.4, 3.6, 0.6, 0.45, 2.85
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
    axes.set(xlim=(0, 1), xlabel="Recall", ylabel="Precision", title=title)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    return figure, axes


def draw_precision_recall(
    axes: Axes,
    recalls: np.ndarray,
    precisions: np.ndarray,
    *,
    point: tuple[float, float],
    style: MethodStyle,
    label: str,
) -> None:
    """Add one method: its curve and, as a marker, recall and precision at its threshold."""
    look = {"color": style.colour, "marker": style.marker, "mec": "white", "mew": 0.8, "ms": 5.5}
    axes.plot(recalls, precisions, ls=style.line, color=style.colour)
    axes.plot(*point, ls="", clip_on=False, zorder=4, **look)
    # The legend's key shows line and marker together.
    axes.plot([], [], ls=style.line, label=label, **look)


def finish_precision_recall(axes: Axes, *, chance: float) -> None:
    """Add lines of equal Dice, the precision of chance (the share of lesion voxels), the legend.

    Precision goes up to 100 %, or to less where all curves stay far below it.
    """
    top = _needed_precision(axes)
    axes.set_ylim(0, 1.02 * top)
    for dice in [dice for dice in DICE_GUIDES if dice / (2 - dice) < 0.9 * top][-4:]:
        recalls = np.linspace(dice / (2 - dice), 1, 200)
        precisions = dice * recalls / (2 * recalls - dice)
        axes.plot(recalls, precisions, color=FAINT, lw=0.6, zorder=1)
        axes.annotate(
            f"Dice {100 * dice:.0f} %",
            (1, dice / (2 - dice)),
            xytext=(-2, 2),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=5.5,
            color=SOFT,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
            zorder=1,
        )
    axes.axhline(chance, color=SOFT, lw=0.8, ls=":", label=f"Chance ({100 * chance:.1f})")
    legend = axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.05, 1.03),
        title="Area (%), pooled voxels",
        title_fontsize=7,
        alignment="left",
        handlelength=3.2,
    )
    legend.get_title().set_color(SOFT)


def _needed_precision(axes: Axes) -> float:
    """Where the axis ends: above all markers, and all curves but for their first steep part."""
    highest = 0.0
    for line in axes.get_lines():
        recalls, precisions = np.array(line.get_xdata()), np.array(line.get_ydata())
        counted = precisions[(recalls >= STEEP_RECALL) | (len(recalls) == 1)]
        highest = max(highest, np.nan_to_num(counted).max(initial=0))
    return next(end for end in PRECISION_ENDS if end >= 1.1 * highest or end == 1)
