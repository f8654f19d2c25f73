"""Pictures of brains, one at a time: slices, outlines, anomaly maps, filled masks.

Pictures are in radiological display: the patient's right is on the left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from scipy import ndimage

# The quality page's jobs, one per ten scans, draw without matplotlib and need not import it.
if TYPE_CHECKING:
    from matplotlib.axes import Axes

Item = TypeVar("Item")

ANOMALY_COLOURS = "inferno"
LESION_COLOUR = "#56e0ff"
PREDICTION_COLOUR = "#ff8c1a"
IGNORED_COLOUR = "#c8c8c8"
MASK_COLOUR = "#ffd23f"


def axial_view(plane: np.ndarray) -> np.ndarray:
    """From [x, y] of a RAS grid to rows and columns: front at the top, patient's right at left."""
    return np.flip(np.asarray(plane).T)


def sagittal_view(plane: np.ndarray) -> np.ndarray:
    """From [y, z] of a RAS grid to rows and columns: top of the head at the top, front at left."""
    return np.flip(np.asarray(plane).T)


def bounding_box(mask: np.ndarray, *, margin: int | Sequence[int]) -> tuple[slice, ...]:
    """The box of a mask with a margin in voxels, cut at the grid; the whole grid if it is empty.

    The margin is the same along all axes, or one for each.
    """
    found = ndimage.find_objects((np.asarray(mask) != 0).astype(np.int8))
    if not found:
        return tuple(slice(0, length) for length in np.shape(mask))
    return tuple(
        slice(max(side.start - room, 0), min(side.stop + room, length))
        for side, length, room in zip(
            found[0], np.shape(mask), np.broadcast_to(margin, len(found[0])).tolist(), strict=True
        )
    )


def spread_by_size(sizes: Sequence[float], *, count: int) -> list[int]:
    """Places of at most `count` cases from the smallest to the largest size, evenly by rank.

    Cases of size zero are not taken. With the same sizes the choice is the same.
    """
    sizes = np.asarray(sizes, dtype=float)
    order = [place for place in np.argsort(sizes, kind="stable").tolist() if sizes[place] > 0]
    return evenly_chosen(order, count=count)


def evenly_chosen(items: Sequence[Item], *, count: int) -> list[Item]:
    """At most `count` of the items, evenly over them, the first and the last among them."""
    if len(items) <= count:
        return list(items)
    return [items[place] for place in np.linspace(0, len(items) - 1, count).round().astype(int)]


def blank(axes: Axes) -> None:
    """Take away ticks and frame and make the background black, as behind a scan."""
    axes.set(xticks=[], yticks=[], facecolor="black")
    for spine in axes.spines.values():
        spine.set_visible(False)


def draw_scan(
    axes: Axes, view: np.ndarray, *, window: tuple[float, float], aspect: float = 1.0
) -> None:
    """Draw a grey picture; `aspect` is the height of a pixel over its width."""
    blank(axes)
    low, high = window
    axes.imshow(
        view, cmap="gray", vmin=low, vmax=high, aspect=aspect, interpolation="bilinear", zorder=0
    )


def draw_anomaly(axes: Axes, view: np.ndarray, *, maximum: float, aspect: float = 1.0):
    """Draw an anomaly map from 0 to `maximum`; gives the image, for a colour bar."""
    blank(axes)
    return axes.imshow(
        view,
        cmap=ANOMALY_COLOURS,
        vmin=0,
        vmax=maximum,
        aspect=aspect,
        interpolation="bilinear",
        zorder=0,
    )


def draw_outline(
    axes: Axes, view: np.ndarray, *, colour: str, line: str = "-", width: float = 0.9
) -> None:
    """Draw the outline of a mask over a picture; an empty mask draws nothing."""
    mask = np.asarray(view) > 0
    if mask.any():
        # The frame of zeros closes the line of a mask that reaches the edge of the picture.
        framed = np.pad(mask.astype(float), 1)
        rows, columns = (np.arange(length) - 1 for length in framed.shape)
        axes.contour(
            columns, rows, framed, levels=[0.5], colors=[colour], linewidths=width, linestyles=line
        )


def draw_filled(axes: Axes, view: np.ndarray, *, colour: str, opacity: float = 0.65) -> None:
    """Lay a mask over a picture as a coloured area, voxel by voxel."""
    from matplotlib.colors import to_rgba

    mask = np.asarray(view) > 0
    layer = np.zeros((*mask.shape, 4))
    layer[mask] = to_rgba(colour, opacity)
    images = axes.get_images()
    aspect = axes.get_aspect() if images else 1.0
    axes.imshow(layer, interpolation="nearest", aspect=aspect, zorder=1)


def write_in_corner(axes: Axes, text: str, *, corner: str, colour: str = "white") -> None:
    """Write a few letters into a corner of a picture: `top left`, `bottom right` and so on."""
    vertical, horizontal = corner.split()
    axes.text(
        0.03 if horizontal == "left" else 0.97,
        0.97 if vertical == "top" else 0.03,
        text,
        transform=axes.transAxes,
        ha=horizontal,
        va=vertical,
        fontsize=5.5,
        color=colour,
        zorder=5,
        bbox={"facecolor": "black", "alpha": 0.55, "edgecolor": "none", "pad": 0.8},
    )


def mark_sides(axes: Axes, *, left: str, right: str) -> None:
    """Write into the upper corners which side of the patient is where: R and L, or A and P."""
    for letter, corner in ((left, "top left"), (right, "top right")):
        write_in_corner(axes, letter, corner=corner, colour=IGNORED_COLOUR)


def scan_window(values: np.ndarray) -> tuple[float, float]:
    """Grey window of a scan: zero to the 99.5th percentile of what is above zero."""
    bright = np.asarray(values)
    bright = bright[bright > 0]
    return 0.0, float(np.percentile(bright, 99.5)) if bright.size else 1.0
