"""Histograms of scans and of their reconstructions under changed contrasts, in small multiples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from brainuad.evaluation.histograms import entropy_difference
from brainuad.report.figures.style import FAINT, INK, PAGE_WIDTH, MethodStyle, note_figure
from brainuad.report.labels import Labels
from brainuad.report.metric_formats import signed

# Finer bins would be narrower than a dot of the figure.
DRAWN_BINS = 100


@dataclass(frozen=True)
class Histograms:
    """Densities [G, B] of scans and reconstructions of one method: G gammas, B equal bins.

    edges [B + 1] are intensities.
    """

    edges: np.ndarray
    gammas: np.ndarray
    scans: np.ndarray
    reconstructions: np.ndarray


def draw(
    histograms: Sequence[Path],
    *,
    methods: Sequence[str],
    cohort: Sequence[str],
    styles: Mapping[str, MethodStyle],
    labels: Labels,
) -> Figure:
    """Draw a row per method and a column per gamma.

    The files of compare_histograms, one per gamma, and the methods are parallel; the cohort is a
    data set and a modality.
    """
    by_method: dict[str, list[Path]] = {}
    for method, path in zip(methods, histograms, strict=True):
        by_method.setdefault(method, []).append(path)
    read = {method: read_histograms(paths) for method, paths in by_method.items()}
    return densities_by_gamma(read, styles=styles, labels=labels, title=labels.cohort(*cohort))


def read_histograms(paths: Sequence[Path]) -> Histograms:
    """What `compare_histograms` wrote of one method, a file per gamma."""
    read = [dict(np.load(path)) for path in paths]
    return Histograms(
        edges=read[0]["edges"],
        gammas=np.array([arrays["gamma"] for arrays in read]),
        scans=np.stack([arrays["scans"] for arrays in read]),
        reconstructions=np.stack([arrays["reconstructions"] for arrays in read]),
    )


def merge_bins(densities: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Densities [..., b] and edges [b + 1] in 100 bins or a few less, each of as many old ones.

    Bins stay as they are if they are fewer, or if there is no such number.
    """
    bins = densities.shape[-1]
    numbers = (drawn for drawn in range(DRAWN_BINS, DRAWN_BINS // 2, -1) if bins % drawn == 0)
    size = bins // next(numbers, bins)
    merged = densities.reshape(*densities.shape[:-1], bins // size, size).mean(axis=-1)
    return merged, edges[::size]


def densities_by_gamma(
    histograms: Mapping[str, Histograms],
    *,
    styles: Mapping[str, MethodStyle],
    labels: Labels,
    title: str,
) -> Figure:
    """A row per method, a column per gamma; the number is the difference of entropies.

    All panels of a gamma have the scale that shows the scan's and the reconstructions' densities
    inside the range; the outermost bins, where what is cut off piles up, may leave it. Without a
    value a strip says so.
    """
    found = {name: each for name, each in histograms.items() if np.isfinite(each.scans).all()}
    if not found:
        return note_figure("No test subject has a healthy voxel on this grid.")
    gammas = next(iter(found.values())).gammas
    figure = Figure(figsize=(PAGE_WIDTH, 0.85 + 0.85 * len(found)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.03, wspace=0.02, hspace=0.02)
    grid = figure.subplots(len(found), len(gammas), sharex=True, squeeze=False)
    for row, (method, each) in zip(grid, found.items(), strict=True):
        for place, axes in enumerate(row):
            _draw_pair(axes, each, place, styles[method].colour)
        row[0].set_ylabel(labels.method(method), fontweight="bold", fontsize=6.5)
    for place, (gamma, column) in enumerate(zip(gammas, grid.T, strict=True)):
        top = 1.25 * max(_highest_inside(each, place) for each in found.values())
        for axes in column:
            axes.set(xlim=(0, 1), ylim=(0, top or 1), yticks=[])
            axes.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
            axes.spines["left"].set_visible(False)
        column[0].set_title(f"\u03b3 = {gamma:g}", loc="center", fontsize=8)
    figure.supxlabel("Intensity of healthy brain voxels", fontsize=8)
    figure.suptitle(title, x=0.01, ha="left", fontsize=9, fontweight="bold")
    handles = [
        Patch(color=FAINT, label="scan"),
        Line2D([], [], color=INK, lw=1.0, label="reconstruction"),
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    return figure


def _draw_pair(axes: Axes, histograms: Histograms, place: int, colour: str) -> None:
    scan, edges = merge_bins(histograms.scans[place], histograms.edges)
    reconstruction, _ = merge_bins(histograms.reconstructions[place], histograms.edges)
    axes.stairs(scan, edges, fill=True, color=FAINT, lw=0)
    axes.stairs(reconstruction, edges, color=colour, lw=1.0, baseline=None)
    difference = entropy_difference(histograms.scans[place], histograms.reconstructions[place])
    axes.text(
        0.97,
        0.97,
        f"\u0394H {signed(difference, 'entropy_difference')}",
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=6,
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6},
    )


def _highest_inside(histograms: Histograms, place: int) -> float:
    pair = np.stack([histograms.scans[place], histograms.reconstructions[place]])
    return float(merge_bins(pair, histograms.edges)[0][:, 1:-1].max(initial=0))
