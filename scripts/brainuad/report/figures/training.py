"""Training and validation loss of every model against optimiser steps, in small multiples."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from brainuad.io.tables import read_table
from brainuad.report.figures.style import PAGE_WIDTH, note_figure
from brainuad.report.figures.ticks import plain_log_ticks
from brainuad.report.labels import Labels

TRAINING_COLOUR = "#a9bfd3"
VALIDATION_COLOUR = "#0072b2"


def draw(histories: Sequence[Path], *, trainings: Sequence[str], labels: Labels) -> Figure:
    """Draw a panel per model and modality, a line per fold.

    trainings  whose each history is, such as "ddpm/t1/fold0"
    """
    panels: dict[str, dict[str, pd.DataFrame]] = {}
    for training, path in zip(trainings, histories, strict=True):
        model, modality, fold = training.split("/")
        title = f"{labels.model(model)}, {modality.upper()}"
        panels.setdefault(title, {})[fold] = read_table(path)
    return training_curves(panels)


def training_curves(panels: Mapping[str, Mapping[str, pd.DataFrame]]) -> Figure:
    """Losses against optimiser steps: a panel per model, a pair of lines per fold.

    Each history has the columns step, training_loss and validation_loss. The dot is the step of
    the lowest validation loss, whose weights are used.
    """
    if not panels:
        return note_figure("No model was trained.")
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
        plain_log_ticks(axes.yaxis)
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
