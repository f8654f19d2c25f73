"""The entries of the register: tables, figures, notes and sections."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[4]
REPORT = PROJECT / "scripts" / "brainuad" / "report"

Files = dict[str, str | list[str]]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What tables and figures have in common.

    name      of its files
    module    the file in report/tables/ or report/figures/ whose function makes it
    inputs    the files that this function takes, one or a list by argument name
    params    the other arguments of this function, plain values
    category  of Snakemake's report, which lists it there as `label`
    heading   above it on the page; "" continues under the previous heading
    first     whether it comes at the top of the page, before the first section
    caption   in the markup of `io.markup`
    """

    name: str
    module: str
    inputs: Files = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    category: str
    label: str
    heading: str = ""
    first: bool = False
    caption: str


@dataclass(frozen=True, kw_only=True)
class TableEntry(Entry):
    """A table; `title` is that of its own page."""

    title: str

    @property
    def code(self) -> Path:
        return REPORT / "tables" / f"{self.module}.py"

    @property
    def labels(self) -> dict[str, str]:
        return {"table": self.label}


@dataclass(frozen=True, kw_only=True)
class FigureEntry(Entry):
    """A figure; consecutive figures with the same caption are shown together.

    of      the data set that it shows, if there are several such figures
    ending  of the file that the page shows: png for pictures of brains, svg for charts
    wide    whether it takes the whole width of the page; others are side by side
    rule    the rule and script that make it
    """

    of: str = "all"
    ending: str = "svg"
    wide: bool = False
    rule: str = "draw_figure"

    @property
    def code(self) -> Path:
        return REPORT / "figures" / f"{self.module}.py"

    @property
    def labels(self) -> dict[str, str]:
        return {"figure": self.label, "data set": self.of}


@dataclass(frozen=True)
class Note:
    """A part of the page that is only a text."""

    text: str


@dataclass(frozen=True)
class Section:
    """A section of the page, and its shorter name in the navigation.

    about     what it holds, in a few words that are shown while it is folded
    leads_to  the address of another page and the text of the link to it; empty for none
    """

    name: str
    heading: str
    short: str
    about: str
    parts: list[TableEntry | FigureEntry | Note]
    leads_to: tuple[str, str] | tuple[()] = ()
