"""Seconds that each method takes for a volume, as bars."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from brainuad.evaluation.reconstruction_times import SECONDS, ratio_to
from brainuad.io.tables import read_table
from brainuad.report.figures.style import INK, PAGE_WIDTH, MethodStyle, note_figure
from brainuad.report.labels import Labels

# Room for the numbers behind the longest bar, as a share of it.
ROOM_FOR_NUMBERS = 0.5


def draw(
    table: Path, *, reference: str, styles: Mapping[str, MethodStyle], labels: Labels
) -> Figure:
    """Draw the table of times: a bar per method, a panel per modality."""
    summary = read_table(table)
    return seconds_per_volume(summary, reference=reference, styles=styles, labels=labels)


def seconds_per_volume(
    summary: pd.DataFrame, *, reference: str, styles: Mapping[str, MethodStyle], labels: Labels
) -> Figure:
    """A bar per method, a panel per modality; the number in brackets is the ratio to a reference.

    summary: method, dataset, modality, metric (seconds_per_volume and that of the ratio), mean,
    ci_low, ci_high. Without a time a strip says so.
    """
    ratio = ratio_to(reference)
    seconds = summary[summary["metric"] == SECONDS].dropna(subset=["mean"])
    if seconds.empty:
        return note_figure("No method was timed.")
    places = list(dict.fromkeys(zip(seconds["dataset"], seconds["modality"], strict=True)))
    methods = list(dict.fromkeys(seconds["method"]))
    figure = Figure(
        figsize=(min(PAGE_WIDTH, 1.0 + 3.1 * len(places)), 0.65 + 0.19 * len(methods)),
        layout="constrained",
    )
    panels = figure.subplots(1, len(places), sharey=True, squeeze=False)[0]
    for axes, (dataset, modality) in zip(panels, places, strict=True):
        here = summary[(summary["dataset"] == dataset) & (summary["modality"] == modality)]
        by_metric = {metric: rows.set_index("method") for metric, rows in here.groupby("metric")}
        ratios = by_metric[ratio]["mean"] if ratio in by_metric else pd.Series(dtype=float)
        for place, method in enumerate(methods):
            if method in by_metric[SECONDS].index:
                row = by_metric[SECONDS].loc[method]
                _draw_bar(axes, place, row, ratio=ratios.get(method), style=styles[method])
        longest = by_metric[SECONDS][["mean", "ci_high"]].max(axis=None)
        axes.set(
            xlim=(0, (1 + ROOM_FOR_NUMBERS) * longest),
            title=labels.cohort(dataset, modality),
            xlabel="Seconds per volume",
        )
        axes.set_yticks(range(len(methods)), [labels.method(method) for method in methods])
        axes.set_ylim(len(methods) - 0.4, -0.6)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    return figure


def _draw_bar(
    axes: Axes, place: int, row: pd.Series, *, ratio: float | None, style: MethodStyle
) -> None:
    axes.barh(place, row["mean"], height=0.68, color=style.colour, lw=0)
    axes.plot([row["ci_low"], row["ci_high"]], [place] * 2, color=INK, lw=0.8)
    text = f"{row['mean']:.3g} s" + ("" if pd.isna(ratio) else f"  ({ratio:.2f}\u00d7)")
    end = row[["mean", "ci_high"]].max()
    axes.annotate(
        text,
        (end, place),
        xytext=(4, 0),
        textcoords="offset points",
        va="center_baseline",
        fontsize=6.5,
    )
