"""The page that shows a whole run: what was found, in words, tables and figures, and how."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pandas as pd

from brainuad.report.names import dataset_name
from brainuad.report.pages.assumptions import assumptions_of
from brainuad.report.pages.pages import TABLE_STYLE
from brainuad.report.pages.sections import (
    LEFT_OUT,
    RESULTS,
    RUN,
    SPLITS,
    Part,
    Section,
    further_results,
    is_of_kind,
)

TEMPLATE, SCRIPT = "overview.html.jinja", "overview.js"
MEDIA_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
MODALITIES = ("t1", "t2")


@dataclass(frozen=True)
class Picture:
    """A figure of the page: what it shows in a few words, and its file (PNG or SVG)."""

    name: str
    path: Path

    @property
    def data(self) -> str:
        """The whole file as an address, so that the page needs no other file."""
        content = base64.b64encode(self.path.read_bytes()).decode("ascii")
        return f"data:{MEDIA_TYPES[self.path.suffix]};base64,{content}"


def render(
    *, tables: Mapping[str, str], figures: Mapping[str, Path], sources: Sequence[Path], **content
) -> str:
    """Fill the page's template; texts are escaped, `tables` are the HTML of each by its name.

    `figures` are files by their names, such as "panel_brats21"; the comments of `sources` are the
    decisions. A section of which nothing is there is left out.
    """

    def shown(*sections: Section) -> list[dict]:
        filled = [fill(section, tables=tables, figures=figures) for section in sections]
        return [section for section in filled if section["parts"]]

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    folder = Path(__file__).parent
    source = (folder / TEMPLATE).read_text(encoding="utf-8")
    return environment.from_string(source).render(
        results=shown(*RESULTS, further_results(tables, figures)),
        about_scans=shown(SPLITS, LEFT_OUT),
        about_run=shown(RUN),
        decisions=[(place_of(file), text) for file in sources for text in assumptions_of(file)],
        table_style=TABLE_STYLE,
        script=(folder / SCRIPT).read_text(encoding="utf-8"),
        **content,
    )


def place_of(source: Path) -> str:
    """Where a file of scripts/ or of its library stands: "methods/diffusion", "reconstruct"."""
    place = source.with_suffix("").as_posix().rpartition("/scripts/")[2]
    return place.removeprefix("brainuad/")


def fill(section: Section, *, tables: Mapping[str, str], figures: Mapping[str, Path]) -> dict:
    """A section with the tables and figures that are there, and only the parts that have some."""
    parts = []
    for part in section.parts:
        table = tables.get(part.table)
        pictures = pictures_of(part, figures)
        if table or pictures or not (part.table or part.figures):
            caption = part.caption if pictures or not part.figures else ""
            parts.append({"part": part, "table": table, "pictures": pictures, "caption": caption})
    return {"section": section, "parts": parts}


def pictures_of(part: Part, figures: Mapping[str, Path]) -> list[Picture]:
    """The figures of a part; "panel_brats21" is of the part with panels, and named BraTS21."""
    pictures = []
    for name, path in figures.items():
        if part.figures and is_of_kind(name, part.figures):
            what = name.removeprefix(part.figures).removeprefix("_")
            dataset, _, modality = what.rpartition("_")
            if modality in MODALITIES:
                what = dataset_name(dataset, modality)
            pictures.append(Picture(dataset_name(what) or "all", path))
    return pictures


def quality_of(measures: Sequence[pd.DataFrame], scans: Sequence[str]) -> list[dict]:
    """Of each quality table, named like "ixi_t1": its page, how many scans, and who is marked."""
    summaries = []
    for table, scan in zip(measures, scans, strict=True):
        dataset, _, modality = scan.rpartition("_")
        summaries.append(
            {
                "name": dataset_name(dataset, modality),
                "address": f"quality/{scan}/index.html",
                "scans": len(table),
                "marked": table[table["marked"]].to_dict("records"),
                "registered": bool(table["overlap"].notna().any()),
                "measured": bool(table["brain_ml"].notna().any()),
            }
        )
    return summaries


def registered_to(facts: pd.DataFrame | None, quality: Sequence[dict]) -> str:
    """Which scans were registered to which atlas, in a sentence or two.

    The facts of the atlas are None where all data sets came preprocessed.
    """
    registered = [summary["name"] for summary in quality if summary["registered"]]
    given = [
        summary["name"] for summary in quality if summary["measured"] and not summary["registered"]
    ]
    sentences = []
    if facts is None:
        sentences.append("Nothing was registered here.")
    elif registered:
        source = facts.set_index("name").at["source", "value"]
        sentences.append(f"Registered to the atlas: {', '.join(registered)}. The atlas: {source}.")
    if given:
        sentences.append(f"Taken as they came, preprocessed elsewhere: {', '.join(given)}.")
    return " ".join(sentences)
