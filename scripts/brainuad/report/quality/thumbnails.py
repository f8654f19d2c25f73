"""Small pictures of scans with outlines, drawn fast: one PNG of fixed size per subject.

Radiological display, as in `pictures`: the patient's right is on the left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from brainuad.report.figures.pictures import axial_view, sagittal_view, scan_window

# Pixels: edge of a square view, and the black between two.
CELL = 168
GAP = 2
# The palette holds these grey levels first, then the colours of the outlines.
GREYS = 64
LETTER_GREY = 190
TEMPLATE_COLOUR = "#7dff8a"
# Beside the midline, where the lateral ventricle is, and not the cleft between the hemispheres.
BESIDE_MIDLINE_MM = 9.0


@dataclass(frozen=True)
class Outline:
    """The edge of a mask [X, Y, Z], in a colour such as #ffd23f."""

    mask: np.ndarray
    colour: str


@dataclass(frozen=True)
class Row:
    """Axial, coronal and sagittal view of a volume [X, Y, Z] in RAS order.

    centre   voxel through which the views are cut
    box      part of the grid that is shown
    """

    data: np.ndarray
    spacing: np.ndarray
    centre: Sequence[float]
    box: tuple[slice, ...]
    outlines: tuple[Outline, ...]


def draw_rows(rows: Sequence[Row]) -> Image.Image:
    """One picture of three views per row; later outlines lie over earlier ones."""
    size = (3 * CELL + 2 * GAP, len(rows) * (CELL + GAP) - GAP)
    grey, letters = Image.new("L", size), ImageFont.load_default(size=12)
    writer = ImageDraw.Draw(grey)
    edges: dict[str, np.ndarray] = {}
    for number, row in enumerate(rows):
        window = sparse_window(row.data[row.box])
        for column, (view, sides) in enumerate(_views(row)):
            corner = np.array((column * (CELL + GAP), number * (CELL + GAP)))
            extent = _pixels(row)[column]
            place = tuple((corner + (CELL - extent) // 2).tolist())
            grey.paste(_shrunk(_scaled(view(row.data), window), extent), place)
            for outline in row.outlines:
                edge = _edge(view(outline.mask), extent)
                layer = edges.setdefault(outline.colour, np.zeros(size[::-1], dtype=bool))
                layer[place[1] : place[1] + extent[1], place[0] : place[0] + extent[0]] |= edge
            for letter, x, anchor in ((sides[0], 4, "la"), (sides[1], CELL - 4, "ra")):
                writer.text(
                    (corner[0] + x, corner[1] + 2),
                    letter,
                    fill=LETTER_GREY,
                    font=letters,
                    anchor=anchor,
                )
    return _indexed(np.asarray(grey), edges)


def sparse_window(data: np.ndarray) -> tuple[float, float]:
    """Grey window of a volume [X, Y, Z], from every eighth voxel."""
    return scan_window(data[::2, ::2, ::2])


def _views(row: Row) -> tuple[tuple[Callable[[np.ndarray], np.ndarray], str], ...]:
    """For each view: a function from a volume to its plane, and the letters of its two sides."""
    x, y, z = (round(float(place)) for place in row.centre)
    box = row.box
    return (
        (lambda data: axial_view(data[box[0], box[1], z]), "RL"),
        (lambda data: axial_view(data[box[0], y, box[2]]), "RL"),
        (lambda data: sagittal_view(data[x, box[1], box[2]]), "AP"),
    )


def _pixels(row: Row) -> list[np.ndarray]:
    """Width and height of each view, all at one scale that fits the largest into its square."""
    edges = np.array([part.stop - part.start for part in row.box]) * row.spacing
    pixels = np.maximum(1, np.rint(edges * (CELL / edges.max()))).astype(int)
    return [pixels[[0, 1]], pixels[[0, 2]], pixels[[1, 2]]]


def _scaled(view: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    low, high = window
    return np.clip((view - low) * (255 / (high - low)), 0, 255).astype(np.uint8)


def _shrunk(view: np.ndarray, extent: np.ndarray) -> Image.Image:
    return Image.fromarray(view).resize(tuple(extent.tolist()), Image.Resampling.BICUBIC)


def _edge(view: np.ndarray, extent: np.ndarray) -> np.ndarray:
    """The outermost pixels of a mask's view, as bool [height, width]."""
    filled = Image.fromarray(np.ascontiguousarray(view).astype(np.uint8) * 255)
    filled = filled.resize(tuple(extent.tolist()), Image.Resampling.BILINEAR)
    inside = np.pad(np.asarray(filled) > 127, 1)
    core = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    return inside[1:-1, 1:-1] & ~core


def _indexed(grey: np.ndarray, edges: dict[str, np.ndarray]) -> Image.Image:
    """A picture with a palette, a third of the size of one in full colours."""
    indices = (grey.astype(np.uint16) * GREYS // 256).astype(np.uint8)
    palette = [level for grey in range(GREYS) for level in 3 * [round(grey * 255 / (GREYS - 1))]]
    for number, (colour, edge) in enumerate(edges.items()):
        indices[edge] = GREYS + number
        palette.extend(ImageColor.getrgb(colour))
    picture = Image.fromarray(indices, mode="P")
    picture.putpalette(palette)
    return picture
