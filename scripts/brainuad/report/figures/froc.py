"""FROC curves: lesions that are found against false positives per scan, a panel per data set."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from brainuad.report.figures.style import PAGE_WIDTH, MethodStyle, note_figure
from brainuad.report.figures.ticks import plain_log_ticks
from brainuad.report.labels import Labels

KEYS = ["dataset", "modality", "method", "factor"]
COUNTS = ["scans", "lesions", "detected", "false_positives"]
# The axis of false positives per scan begins here, with all that have fewer, and is never shorter
# than to this end.
FEWEST, LEAST_END = 0.1, 10
# Where the axis of sensitivity ends: at the first that all methods stay below.
TOPS = (0.1, 0.2, 0.4, 1)
MOST_COLUMNS, MOST_IN_LEGEND_ROW = 4, 7


def draw(
    scores: pd.DataFrame,
    *,
    styles: Mapping[str, MethodStyle],
    labels: Labels,
) -> Figure:
    """Draw the counts at each threshold, summed over the scans of all folds."""
    # A table without any score lacks the counts.
    points = froc_points(scores.reindex(columns=list(dict.fromkeys([*scores, *KEYS, *COUNTS]))))
    drawn = {method: styles[method] for method in points["method"].unique()}
    return froc_curves(points, styles=drawn, labels=labels)


def froc_points(counts: pd.DataFrame) -> pd.DataFrame:
    """Sensitivity [0, 1] and false positives per scan: a row per data set, method and factor.

    counts: dataset, modality, method, fold, factor (of the threshold), scans, lesions, detected,
    false_positives; they are summed over folds. Where there is no lesion there is no row.
    """
    totals = counts.groupby(KEYS, sort=False)[COUNTS].sum().reset_index().query("lesions > 0")
    return totals[KEYS].assign(
        sensitivity=totals["detected"] / totals["lesions"],
        per_scan=totals["false_positives"] / totals["scans"],
    )


def best_up_to(points: pd.DataFrame) -> pd.DataFrame:
    """The points of one method that no other one beats with as few false positives or fewer."""
    rising = points.sort_values(["per_scan", "sensitivity"], ascending=[True, False])
    best_before = rising["sensitivity"].cummax().shift(fill_value=-1.0)
    return rising[rising["sensitivity"] > best_before]


def froc_curves(
    points: pd.DataFrame, *, styles: Mapping[str, MethodStyle], labels: Labels
) -> Figure:
    """What `froc_points` gives: a curve per method, a marker where the factor is 1.

    Without a point a strip says so.
    """
    if points.empty:
        return note_figure("No test subject with a lesion was scored.")
    places = list(dict.fromkeys(zip(points["dataset"], points["modality"], strict=True)))
    columns = min(MOST_COLUMNS, len(places))
    rows = -(-len(places) // columns)
    width = PAGE_WIDTH if columns > 2 else 3.2 * columns
    figure = Figure(figsize=(width, 0.45 + 2.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (dataset, modality) in zip(panels, places, strict=False):
        here = points[(points["dataset"] == dataset) & (points["modality"] == modality)]
        here = here.assign(per_scan=here["per_scan"].clip(lower=FEWEST))
        for method, group in here.groupby("method", sort=False):
            _draw_method(axes, group, style=styles[method], label=labels.method(method))
        axes.set_title(labels.cohort(dataset, modality))
        end = max(LEAST_END, 1.2 * here["per_scan"].max())
        top = next(top for top in TOPS if top >= 1.1 * here["sensitivity"].max() or top == 1)
        axes.set(
            xscale="log",
            xlim=(FEWEST, end),
            ylim=(0, 1.02 * top),
            xlabel="False positives per scan",
        )
        plain_log_ticks(axes.xaxis)
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    for axes in panels[len(places) :]:
        axes.set_visible(False)
    for axes in panels[::columns]:
        axes.set_ylabel("Lesions detected")
    handles, names = panels[0].get_legend_handles_labels()
    legend_rows = -(-len(handles) // MOST_IN_LEGEND_ROW)
    ncols = -(-len(handles) // legend_rows)
    figure.legend(handles, names, loc="outside upper left", ncols=ncols, handlelength=3.2)
    return figure


def _draw_method(axes: Axes, group: pd.DataFrame, *, style: MethodStyle, label: str) -> None:
    look = {"color": style.colour, "marker": style.marker, "mec": "white", "mew": 0.8, "ms": 5.5}
    curve, chosen = best_up_to(group), group[group["factor"] == 1]
    # It goes on as far as any threshold does.
    per_scan = [*curve["per_scan"], group["per_scan"].max()]
    sensitivity = [*curve["sensitivity"], group["sensitivity"].max()]
    axes.plot(per_scan, sensitivity, ls=style.line, color=style.colour)
    axes.plot(chosen["per_scan"], chosen["sensitivity"], ls="", clip_on=False, zorder=4, **look)
    # The legend's key shows line and marker together.
    axes.plot([], [], ls=style.line, label=label, **look)
