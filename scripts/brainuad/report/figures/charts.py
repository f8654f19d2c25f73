"""Charts of numbers: precision-recall curves, Dice by lesion volume, training curves."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter
from matplotlib.transforms import ScaledTranslation

from brainuad.report.figures.style import PAGE_WIDTH, MethodStyle, note_figure

GUIDE_COLOUR = "#c9c9c9"
TRAINING_COLOUR = "#a9bfd3"
VALIDATION_COLOUR = "#0072b2"
DICE_GUIDES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
PRECISION_ENDS = (0.05, 0.1, 0.2, 0.4, 1.0)
# Up to this recall a curve rests on so few voxels that it jumps.
STEEP_RECALL = 0.05
# A median of fewer subjects than this says little.
SUBJECTS_PER_BIN = 4
MOST_BINS = 6
# Of so few subjects the points of all methods stand side by side, in steps of so many dots.
FEW_SUBJECTS, STEP = 16, 2.6
# More points than these are a background to the lines, and one picture inside the SVG.
MOST_IN_FRONT, MOST_DRAWN = 80, 1000
FEWEST_TICKS = 3
MOST_IN_LEGEND_ROW = 7


def precision_recall_axes(*, title: str) -> tuple[Figure, Axes]:
    """An empty precision-recall plane, both axes in per cent."""
    width, height, left, bottom, side = 5.4, 3.6, 0.6, 0.45, 2.85
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
    axes.set(xlim=(0, 1), xlabel="Recall", ylabel="Precision", title=title)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    sns.despine(ax=axes)
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
        axes.plot(recalls, precisions, color=GUIDE_COLOUR, lw=0.6, zorder=1)
        axes.annotate(
            f"Dice {100 * dice:.0f} %",
            (1, dice / (2 - dice)),
            xytext=(-2, 2),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=5.5,
            color="#8a8a8a",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
            zorder=1,
        )
    axes.axhline(chance, color="#8a8a8a", lw=0.8, ls=":", label=f"Chance ({100 * chance:.1f})")
    legend = axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.05, 1.03),
        title="Area (%), pooled voxels",
        title_fontsize=7,
        alignment="left",
        handlelength=3.2,
    )
    legend.get_title().set_color("#555555")


def _needed_precision(axes: Axes) -> float:
    """Where the axis ends: above all markers, and all curves but for their first steep part."""
    highest = 0.0
    for line in axes.get_lines():
        recalls, precisions = np.array(line.get_xdata()), np.array(line.get_ydata())
        counted = precisions[(recalls >= STEEP_RECALL) | (len(recalls) == 1)]
        highest = max(highest, np.nan_to_num(counted).max(initial=0))
    return next(end for end in PRECISION_ENDS if end >= 1.1 * highest or end == 1)


def dice_by_volume(
    points: pd.DataFrame,
    *,
    styles: Mapping[str, MethodStyle],
    method_name: Callable[[str], str],
    dataset_name: Callable[[str, str], str],
) -> Figure:
    """Scatter Dice against lesion volume, a panel per data set, with medians of volume groups.

    points: dataset, modality, method, subject, dice (0 to 1), lesion_volume_ml (> 0). Without a
    point a strip says so.
    """
    if points.empty:
        return note_figure("No test subject with a lesion was scored.")
    places = list(dict.fromkeys(zip(points["dataset"], points["modality"], strict=True)))
    columns = min(2, len(places))
    rows = -(-len(places) // columns)
    figure = Figure(figsize=(PAGE_WIDTH, 0.35 + 2.35 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axes, (dataset, modality) in zip(panels, places, strict=False):
        here = points[(points["dataset"] == dataset) & (points["modality"] == modality)]
        count = here["subject"].nunique()
        for place, (method, group) in enumerate(here.groupby("method", sort=False)):
            step = STEP * (place - (here["method"].nunique() - 1) / 2)
            _draw_dice(
                axes,
                group.sort_values("lesion_volume_ml"),
                styles[method],
                crowd=len(here),
                shift=step if count <= FEW_SUBJECTS else 0,
            )
        axes.set_title(f"{dataset_name(dataset, modality)}", loc="left")
        axes.set_title(f"{count} subjects", loc="right", fontsize=7, fontweight="normal")
        volumes = here["lesion_volume_ml"]
        axes.set(xscale="log", ylim=(-0.03, 1), xlim=(volumes.min() / 1.3, volumes.max() * 1.3))
        _plain_log_ticks(axes.xaxis)
    for axes in panels[len(places) :]:
        axes.set_visible(False)
    for axes in panels:
        axes.set_xlabel("Lesion volume (ml)")
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        sns.despine(ax=axes)
    for axes in panels[::columns]:
        axes.set_ylabel("Dice")
    handles = [
        Line2D(
            [],
            [],
            color=style.colour,
            ls=style.line,
            marker=style.marker,
            ms=4.5,
            mfc="white" if style.hollow else style.colour,
            label=method_name(method),
        )
        for method, style in styles.items()
    ]
    legend_rows = -(-len(handles) // MOST_IN_LEGEND_ROW)
    figure.legend(handles=handles, loc="outside upper left", ncols=-(-len(handles) // legend_rows))
    return figure


def _draw_dice(
    axes: Axes, group: pd.DataFrame, style: MethodStyle, *, crowd: int, shift: float
) -> None:
    """One method's subjects, `shift` dots to the right, among `crowd` points, and their medians."""
    volumes, dices = group["lesion_volume_ml"].to_numpy(), group["dice"].to_numpy()
    bins = min(MOST_BINS, len(volumes) // SUBJECTS_PER_BIN)
    background = crowd > MOST_IN_FRONT and bins > 1
    aside = ScaledTranslation(shift / 72, 0, axes.figure.dpi_scale_trans)
    axes.scatter(
        volumes,
        dices,
        s=6 if background else 14,
        marker=style.marker,
        facecolor="none" if style.hollow else style.colour,
        edgecolor=style.colour if style.hollow else "white",
        linewidth=0.8 if style.hollow else 0.2 if background else 0.35,
        alpha=(0.35 if crowd <= MOST_DRAWN else 0.2) if background else 0.75,
        transform=axes.transData + aside,
        rasterized=crowd > MOST_DRAWN,
        zorder=2 if background else 3,
    )
    if bins > 1:
        groups = np.array_split(np.arange(len(volumes)), bins)
        axes.plot(
            [np.median(volumes[places]) for places in groups],
            [np.median(dices[places]) for places in groups],
            color=style.colour,
            ls=style.line,
            lw=1.2,
            marker=style.marker if background else "",
            ms=4.5,
            mec="white",
            mew=0.5,
            zorder=3 if background else 2,
        )


def training_curves(panels: Mapping[str, Mapping[str, pd.DataFrame]]) -> Figure:
    """Losses against optimiser steps: a panel per model, a pair of lines per fold.

    Each history has the columns step, training_loss and validation_loss. The dot is the step of
    the lowest validation loss, whose weights are used.
    """
    if not panels:
        return note_figure("No model needed training.")
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(PAGE_WIDTH, 0.35 + 1.9 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (title, histories) in zip(grid, panels.items(), strict=False):
        for history in histories.values():
            _draw_losses(axes, history)
        axes.set_title(title, loc="left")
        axes.set(yscale="log", xlabel="Optimiser step")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
        _plain_log_ticks(axes.yaxis)
        sns.despine(ax=axes)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    for axes in grid[::columns]:
        axes.set_ylabel("Loss")
    handles = [
        Line2D([], [], color=TRAINING_COLOUR, label="training"),
        Line2D([], [], color=VALIDATION_COLOUR, label="validation"),
        Line2D([], [], color=VALIDATION_COLOUR, marker="o", ms=4, ls="", label="weights used"),
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure


def _draw_losses(axes: Axes, history: pd.DataFrame) -> None:
    axes.plot(history["step"], history["training_loss"], color=TRAINING_COLOUR, lw=0.9)
    validated = history.dropna(subset=["validation_loss"])
    if validated.empty:
        return
    axes.plot(validated["step"], validated["validation_loss"], color=VALIDATION_COLOUR, lw=1.1)
    best = validated.loc[validated["validation_loss"].idxmin()]
    axes.plot(best["step"], best["validation_loss"], "o", color=VALIDATION_COLOUR, ms=4, zorder=4)


def _plain_log_ticks(axis: Axis) -> None:
    """A few round numbers as ticks of a logarithmic axis, written plainly: 0.05, 0.1, 20."""
    low, high = axis.get_view_interval()
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        ticks = np.outer(powers, steps).ravel()
        ticks = ticks[(ticks >= low) & (ticks <= high)]
        if len(ticks) >= FEWEST_TICKS:
            break
    else:
        ticks = MaxNLocator(4).tick_values(low, high)
        ticks = ticks[(ticks >= low) & (ticks <= high)]
    axis.set_ticks(ticks, [f"{tick:.4g}" for tick in ticks])
    axis.set_ticks([], minor=True)
