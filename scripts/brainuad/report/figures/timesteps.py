"""Dice against the timestep to which slices are noised, one panel per data set."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from brainuad.report.figures.style import PAGE_WIDTH, MethodStyle, note_figure
from brainuad.report.labels import Labels

MOST_COLUMNS = 4


def draw(
    scores: pd.DataFrame,
    *,
    styles: Mapping[str, MethodStyle],
    labels: Labels,
) -> Figure:
    """Draw the mean over subjects, a line per model, in a band of one sd over folds."""
    # A table without any score lacks the timestep.
    scores = scores.reindex(columns=list(dict.fromkeys([*scores, "timestep"])))
    points = mean_by_timestep(scores[scores["metric"] == "dice"])
    return dice_by_timestep(points, styles=styles, labels=labels)


def mean_by_timestep(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean over subjects, then mean and sd over folds: a row per data set, method and timestep.

    scores: method, fold, dataset, modality, subject, session, timestep, value. A subject has the
    mean over its sessions. A score that is not defined (NaN) does not count; sd (of the sample) is
    NaN for one fold.
    """
    keys = ["dataset", "modality", "method", "timestep"]
    by_subject = scores.groupby([*keys, "fold", "subject"], sort=False)["value"].mean()
    by_fold = by_subject.groupby([*keys, "fold"], sort=False).mean()
    return by_fold.groupby(keys, sort=False).agg(["mean", "std"]).reset_index()


def dice_by_timestep(
    points: pd.DataFrame, *, styles: Mapping[str, MethodStyle], labels: Labels
) -> Figure:
    """Dice against the timestep: a panel per data set, a line per model, a band of one sd.

    points: what `mean_by_timestep` gives, values from 0 to 1. Each panel has its own scale from
    zero. Without a point a strip says so.
    """
    points = points.dropna(subset=["mean"])
    if points.empty:
        return note_figure("No test subject with a lesion was scored.")
    places = list(dict.fromkeys(zip(points["dataset"], points["modality"], strict=True)))
    columns = min(MOST_COLUMNS, len(places))
    rows = -(-len(places) // columns)
    width = PAGE_WIDTH if columns > 2 else 2.6 * columns
    figure = Figure(figsize=(width, 0.35 + 1.9 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (dataset, modality) in zip(grid.ravel(), places, strict=False):
        here = points[(points["dataset"] == dataset) & (points["modality"] == modality)]
        for method, group in here.groupby("method", sort=False):
            rising = group.sort_values("timestep")
            _draw_model(axes, rising, style=styles[method], label=labels.model(method))
        axes.set_title(labels.cohort(dataset, modality))
        highest = (here["mean"] + here["std"].fillna(0)).max()
        axes.set(ylim=(0, 1.08 * highest or 1), xlabel="Timestep")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda dice, _: f"{100 * dice:.3g} %"))
    for axes in grid.ravel()[len(places) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("Dice")
    handles, names = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=len(handles))
    return figure


def _draw_model(axes: Axes, group: pd.DataFrame, *, style: MethodStyle, label: str) -> None:
    steps, means, spread = (group[name].to_numpy() for name in ("timestep", "mean", "std"))
    axes.fill_between(
        steps, means - spread, means + spread, color=style.colour, alpha=0.18, lw=0, zorder=1
    )
    axes.plot(
        steps,
        means,
        color=style.colour,
        ls=style.line,
        marker=style.marker,
        ms=4.5,
        mec="white",
        mew=0.6,
        label=label,
        zorder=2,
    )
