"""The entries of the register: what is said about a table, about a figure, and about a section."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[4]
REPORT = PROJECT / "scripts" / "brainuad" / "report"

Files = dict[str, str | list[str]]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is said about a table as about a figure.

    name      of its files
    module    the file in report/tables/ or report/figures/ whose function makes it
    inputs    files, one or a list by a name ...
    params    ... and plain values, that this function takes by their names
    category  under which Snakemake's report lists it, as `label`
    heading   above it on the page; "" goes on under the one above
    first     whether it stands at the head of the page, before all sections
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
    """A figure; those that follow each other with one caption are shown together.

    of      what it shows of several of its kind, such as BraTS21
    ending  the page shows pictures of brains as pixels (png), charts as lines (svg)
    wide    on the page it takes the whole line; others stand side by side
    rule    that makes it, with the script of the same name
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
    """A part of the page that is a text alone."""

    text: str


@dataclass(frozen=True)
class Section:
    """A section of the page, and its shorter name in the navigation.

    about     what it holds, in a few words that are seen while it is folded
    leads_to  another page, by its address, and words to lead there; empty for none
    """

    name: str
    heading: str
    short: str
    about: str
    parts: list[TableEntry | FigureEntry | Note]
    leads_to: tuple[str, str] | tuple[()] = ()
