"""The look of all figures: one style, and files that repeat byte for byte.

Figures are built without pyplot, so nothing is kept between two of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from brainuad.io.job import replacing

PAGE_WIDTH = 7.2  # inches: two columns of a journal page
DASHED = "--"
# Words and lines; what explains them; guides, which carry no words.
INK, SOFT, FAINT = "#222222", "#666666", "#c9c9c9"
# As Matplotlib takes it: a name, or an offset and the lengths of dashes and gaps.
Line = str | tuple[float, tuple[float, ...]]

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.axisbelow": True,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    # A label is shown as it stands.
    "text.parse_math": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "patch.edgecolor": "white",
    "patch.force_edgecolor": True,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "brainuad",
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class MethodStyle:
    """How a method is drawn in every figure, as the plan says (`plan.looks`)."""

    colour: str
    line: Line
    marker: str

    @property
    def hollow(self) -> bool:
        """Whether markers are outlines: so are those of fewer timesteps beside more of them."""
        return self.line == DASHED


def styles_from(plain: Mapping[str, Mapping[str, Any]]) -> dict[str, MethodStyle]:
    """The styles of methods, from plain values, in which a pattern of dashes is a list."""
    return {
        method: MethodStyle(look["colour"], _line_from(look["line"]), look["marker"])
        for method, look in plain.items()
    }


def _line_from(plain: str | Sequence) -> Line:
    if isinstance(plain, str):
        return plain
    offset, dashes = plain
    return offset, tuple(dashes)


@contextmanager
def house_style() -> Iterator[None]:
    """The one style of all figures, for the length of a block."""
    with mpl.rc_context(STYLE):
        yield


def save_figure(figure: Figure, *, svg: Path, png: Path) -> None:
    """Write a figure as SVG and as PNG (150 dots per inch), the same bytes each time."""
    with mpl.rc_context(STYLE):
        with replacing(svg) as temporary:
            figure.savefig(temporary, format="svg", dpi=200, metadata={"Date": None})
        with replacing(png) as temporary:
            figure.savefig(temporary, format="png", dpi=150, metadata={"Software": None})


def note_figure(text: str) -> Figure:
    """A strip that says in words why there is nothing to draw."""
    figure = Figure(figsize=(PAGE_WIDTH, 0.8))
    figure.text(0.5, 0.5, text, ha="center", va="center", color=SOFT)
    return figure
