"""The look of all figures: one style, one colour per method, files that repeat byte for byte.

Figures are built without pyplot, so nothing is kept between two of them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import seaborn as sns
from matplotlib.figure import Figure

from brainuad.io.job import replacing
from brainuad.report.names import ENSEMBLE_SUFFIX

PAGE_WIDTH = 7.2  # inches: two columns of a journal page
# Okabe and Ito, "Color universal design", 2008: told apart with any colour vision.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
DASHED = "--"
MARKERS = ("p", "h", "*", "8", "H", "o", "s", "^", "D", "v", "P", "X")

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "#444444",
    "axes.labelcolor": "#222222",
    "text.color": "#222222",
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
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
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "brainuad",
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class MethodStyle:
    """How a method is drawn in every figure: the mean over timesteps has the colour of its base."""

    colour: str
    line: str
    marker: str

    @property
    def hollow(self) -> bool:
        """Whether markers are outlines: so are those of a single timestep beside its mean."""
        return self.line == DASHED


# Diffusion models have solid lines, what they are compared with broken ones; dashes are kept for a
# single timestep beside its mean. The colours of any two differ by 14 or more in CIELAB, also in
# the simulations of protanopia, deuteranopia and tritanopia (Machado et al., 2009).
FIXED_STYLES = {
    "thresh": MethodStyle("#6b6b6b", "-", "o"),
    "anogan": MethodStyle("#0b3d2e", ":", "d"),
    "vae": MethodStyle("#cc79a7", ":", "X"),
    "svae": MethodStyle("#7a3b10", "-.", "<"),
    "ae": MethodStyle("#009e73", "-.", "P"),
    "dae": MethodStyle("#8a2be2", "-.", ">"),
    "ddpm": MethodStyle("#0072b2", "-", "s"),
    "pddpm": MethodStyle("#56b4e9", "-", "v"),
    "cddpm": MethodStyle("#e69f00", "-", "^"),
    "cddpm_ssl": MethodStyle("#d55e00", "-", "D"),
}


@contextmanager
def house_style() -> Iterator[None]:
    """The one style of all figures, for the length of a block."""
    with sns.axes_style("ticks"), mpl.rc_context(STYLE):
        yield


def save_figure(figure: Figure, *, svg: Path, png: Path) -> None:
    """Write a figure as SVG and as PNG (150 dots per inch), the same bytes each time."""
    with mpl.rc_context(STYLE):
        with replacing(svg) as temporary:
            figure.savefig(temporary, format="svg", dpi=200, metadata={"Date": None})
        with replacing(png) as temporary:
            figure.savefig(temporary, format="png", dpi=150, metadata={"Software": None})


def method_styles(methods: Sequence[str]) -> dict[str, MethodStyle]:
    """Colour, line and marker of each method; an unknown one takes what is free among these.

    `x` and `x_ens` share colour and marker; where both are drawn, `x` alone is dashed.
    """
    bases = list(dict.fromkeys(method.removesuffix(ENSEMBLE_SUFFIX) for method in methods))
    known = [FIXED_STYLES[base] for base in bases if base in FIXED_STYLES]
    unknown = [base for base in bases if base not in FIXED_STYLES]
    colours = _free(COLOURS, taken=[style.colour for style in known])
    markers = _free(MARKERS, taken=[style.marker for style in known])
    style_of = FIXED_STYLES | {
        base: MethodStyle(colours[place % len(colours)], "-", markers[place % len(markers)])
        for place, base in enumerate(unknown)
    }
    styles = {}
    for method in methods:
        base = method.removesuffix(ENSEMBLE_SUFFIX)
        dashed = method == base and f"{base}{ENSEMBLE_SUFFIX}" in methods
        styles[method] = replace(style_of[base], line=DASHED) if dashed else style_of[base]
    return styles


def _free(looks: Sequence[str], *, taken: Sequence[str]) -> list[str]:
    """The looks that nobody has taken; all of them if none is left."""
    return [look for look in looks if look not in taken] or list(looks)


def shown_methods(methods: Sequence[str]) -> list[str]:
    """The methods without those whose mean over timesteps (ENS) is there too, for dense figures."""
    return [method for method in methods if f"{method}{ENSEMBLE_SUFFIX}" not in methods]


def note_figure(text: str) -> Figure:
    """A strip that says in words why there is nothing to draw."""
    figure = Figure(figsize=(PAGE_WIDTH, 0.8))
    figure.text(0.5, 0.5, text, ha="center", va="center", color="#555555")
    return figure
