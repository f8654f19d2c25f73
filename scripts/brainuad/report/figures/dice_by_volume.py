"""Dice of each scan against the volume of its lesions, one panel per data set."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter
from matplotlib.transforms import ScaledTranslation

from brainuad.report.figures.style import PAGE_WIDTH, MethodStyle, note_figure
from brainuad.report.figures.ticks import plain_log_ticks
from brainuad.report.labels import Labels

# A median of fewer subjects than this says little.
SUBJECTS_PER_BIN = 4
MOST_BINS = 6
# With so few subjects the points of all methods are side by side, so many dots apart.
FEW_SUBJECTS, STEP = 16, 2.6
# More points than these are a background to the lines, and one picture inside the SVG.
MOST_IN_FRONT, MOST_DRAWN = 80, 1000
MOST_IN_LEGEND_ROW = 7
KEYS = ["dataset", "modality", "method", "subject", "session"]


def draw(
    scores: pd.DataFrame,
    *,
    styles: Mapping[str, MethodStyle],
    labels: Labels,
) -> Figure:
    """Draw each test scan (its mean over folds) and the medians of groups of scans."""
    chosen = scores[scores["metric"].isin(["dice", "lesion_volume_ml"])]
    points = chosen.pivot_table(
        index=KEYS, columns="metric", values="value", aggfunc="mean", sort=False
    ).reset_index()
    # A table without any score lacks these columns.
    points = points.reindex(columns=[*KEYS, "dice", "lesion_volume_ml"])
    points = points.dropna(subset=["dice"]).query("lesion_volume_ml > 0")
    drawn = {method: styles[method] for method in scores["method"].unique()}
    return dice_by_volume(points, styles=drawn, labels=labels)


def dice_by_volume(
    points: pd.DataFrame, *, styles: Mapping[str, MethodStyle], labels: Labels
) -> Figure:
    """Scatter Dice against lesion volume, a panel per data set, with medians of volume groups.

    points: dataset, modality, method, subject, session, dice (0 to 1), lesion_volume_ml (> 0).
    Without a point a strip says so.
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
        axes.set_title(labels.cohort(dataset, modality), loc="left")
        axes.set_title(f"{count} subjects", loc="right", fontsize=7, fontweight="normal")
        volumes = here["lesion_volume_ml"]
        axes.set(xscale="log", ylim=(-0.03, 1), xlim=(volumes.min() / 1.3, volumes.max() * 1.3))
        plain_log_ticks(axes.xaxis)
    for axes in panels[len(places) :]:
        axes.set_visible(False)
    for axes in panels:
        axes.set_xlabel("Lesion volume (ml)")
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
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
            label=labels.method(method),
        )
        for method, style in styles.items()
    ]
    legend_rows = -(-len(handles) // MOST_IN_LEGEND_ROW)
    ncols = -(-len(handles) // legend_rows)
    figure.legend(handles=handles, loc="outside upper left", ncols=ncols, handlelength=3.2)
    return figure


def _draw_dice(
    axes: Axes, group: pd.DataFrame, style: MethodStyle, *, crowd: int, shift: float
) -> None:
    """One method's scans, `shift` dots to the right, among `crowd` points, and their medians."""
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
