"""A page of brain pictures: reconstructions whose condition came from a part of the slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainuad.inference.visible_part import WIDTH, l1_by_region, seen_width
from brainuad.report.figures.pictures import (
    MASK_COLOUR,
    axial_view,
    bounding_box,
    draw_scan,
    mark_sides,
    write_in_corner,
)
from brainuad.report.figures.sheets import Sheet
from brainuad.report.figures.style import note_figure
from brainuad.report.labels import Labels

CELL_WIDTH = 1.0  # inches


@dataclass(frozen=True)
class PartialConditions:
    """One model's reconstructions [T, C, N, X, Y] of slices [N, X, Y] of N scans.

    T timesteps [T]; C shares [C] of the width (x) that the encoder saw: that of the small x.
    """

    names: np.ndarray
    timesteps: np.ndarray
    shares: np.ndarray
    images: np.ndarray
    brain_masks: np.ndarray
    reconstructions: np.ndarray

    @property
    def columns(self) -> list[int]:
        """The places of the shares that are shown: the last alone where the condition is nothing.

        A model without an encoder reconstructs the same for each share.
        """
        everywhere = range(len(self.shares))
        same = all(
            np.array_equal(self.reconstructions[:, 0], self.reconstructions[:, place])
            for place in everywhere
        )
        return [len(self.shares) - 1] if same else list(everywhere)


def draw(
    reconstructions: Sequence[Path],
    *,
    models: Sequence[str],
    cohort: Sequence[str],
    labels: Labels,
) -> Figure:
    """Draw a row per scan and timestep, and a column per model and share.

    The files and their models are parallel; the cohort is a data set and a modality.
    """
    read = {
        labels.model(model): read_reconstructions(path)
        for model, path in zip(models, reconstructions, strict=True)
    }
    if not read:
        return note_figure("No model reconstructed with a part of the condition.")
    return draw_conditioning(read, title=f"{labels.cohort(*cohort)}: what the encoder sees")


def read_reconstructions(path: Path) -> PartialConditions:
    """What `reconstruct_with_partial_conditioning` wrote."""
    with np.load(path) as arrays:
        return PartialConditions(
            **{name: arrays[name] for name in PartialConditions.__dataclass_fields__}
        )


def draw_conditioning(models: Mapping[str, PartialConditions], *, title: str) -> Figure:
    """Subjects below each other, a row per timestep; scan, and each model's shares, beside it.

    The numbers are the mean absolute errors (in thousandths) of the slice's brain on either side of
    the first cut. All models have the same scans, timesteps and shares.
    """
    first = next(iter(models.values()))
    box = bounding_box(first.brain_masks.any(axis=0), margin=2)
    shape = first.images[0][box].shape
    width, height = CELL_WIDTH, CELL_WIDTH * shape[1] / shape[0]
    left, label, top, gap, group_gap = 0.22, 0.2, 0.62, 0.03, 0.1
    columns = {name: each.columns for name, each in models.items()}
    rows = len(first.timesteps)
    block = rows * (height + gap) + group_gap
    sheet = Sheet(
        left + width + label + sum(len(c) * (width + gap) + group_gap for c in columns.values()),
        top + len(first.names) * block,
    )
    heading = {"ha": "center", "va": "baseline", "fontsize": 6}
    bold = heading | {"fontweight": "bold", "fontsize": 7.5}
    sideways = {"rotation": 90, "ha": "center", "va": "center", "fontsize": 6}
    sheet.write(0.04, 0.16, title, va="baseline", fontweight="bold", fontsize=9)
    sheet.write(left + width / 2, top - 0.24, "Scan", **bold)
    for number, name in enumerate(first.names):
        y = top + number * block
        middle = y + (rows * (height + gap) - gap) / 2
        sheet.write(left / 2, middle, str(name), **sideways)
        axes = sheet.axes(left, middle - height / 2, width, height)
        draw_scan(axes, axial_view(first.images[number][box]), window=(0, 1))
        mark_sides(axes, left="R", right="L")
        for row, timestep in enumerate(first.timesteps):
            place = y + row * (height + gap) + height / 2
            sheet.write(left + width + label / 2, place, f"t = {timestep}", **sideways)
    x = left + width + label
    for name, each in models.items():
        shown = columns[name]
        span = len(shown) * (width + gap) - gap
        sheet.write(x + span / 2, top - 0.24, name, **bold)
        for column in shown:
            share = float(each.shares[column])
            cut = len(shown) > 1 and share < 1
            text = _share_in_words(share) if len(shown) > 1 else "no encoder"
            # A single share does not tell whether the model has an encoder.
            if len(each.shares) > 1:
                sheet.write(x + width / 2, top - 0.07, text, **heading)
            for number in range(len(each.names)):
                for row in range(rows):
                    y = top + number * block + row * (height + gap)
                    axes = sheet.axes(x, y, width, height)
                    picture = each.reconstructions[row, column, number][box]
                    draw_scan(axes, axial_view(picture), window=(0, 1))
                    _write_errors(axes, each, row, column, number)
                    if cut:
                        _draw_cut(axes, each, share, box)
            x += width + gap
        x += group_gap
    return sheet.figure


def _share_in_words(share: float) -> str:
    return "encoder sees all" if share == 1 else f"encoder sees {100 * share:.0f} %"


def _draw_cut(axes: Axes, each: PartialConditions, share: float, box: tuple[slice, ...]) -> None:
    """A line between the pixels that the encoder saw and those that it did not see."""
    first_hidden = seen_width(each.images.shape[WIDTH], share) - box[0].start
    # Pictures are mirrored: x of the grid runs from their right to their left.
    axes.axvline(box[0].stop - box[0].start - first_hidden - 0.5, color=MASK_COLOUR, lw=0.8)


def _write_errors(axes: Axes, each: PartialConditions, row: int, column: int, number: int) -> None:
    errors = l1_by_region(
        each.images[number],
        each.reconstructions[row, column, number],
        each.brain_masks[number],
        visible_fraction=float(each.shares.min()),
    )
    for region, corner in (("seen", "bottom right"), ("hidden", "bottom left")):
        if np.isfinite(errors[region]):
            write_in_corner(axes, f"{1000 * errors[region]:.0f}", corner=corner)
