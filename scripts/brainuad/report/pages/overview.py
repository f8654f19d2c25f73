"""The page that shows a whole run: what was found, in words, tables and figures, and how."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from PIL import Image

from brainuad.io.markup import to_html
from brainuad.io.scan_names import name_of_row
from brainuad.report.pages.style import STYLE

TEMPLATE, SCRIPT = "overview.html.jinja", "overview.js"
# At this quality, pictures of brains take a fifth of their PNG.
WEBP_QUALITY = 88


def render(
    *,
    sections: Mapping[str, list[dict[str, Any]]],
    tables: Mapping[str, str],
    figures: Mapping[str, Path],
    **content: Any,
) -> str:
    """Fill the page's template; texts are escaped, captions are markup (`io.markup`).

    `sections` are those of the register (`plan.register`), by the part of the page; `tables` are
    the HTML of each table by its name, `figures` the files.
    """
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["markup"] = to_html
    folder = Path(__file__).parent
    source = (folder / TEMPLATE).read_text(encoding="utf-8")
    return environment.from_string(source).render(
        **sections,
        tables=tables,
        pictures={name: embedded(path) for name, path in figures.items()},
        style=STYLE,
        script=(folder / SCRIPT).read_text(encoding="utf-8"),
        **content,
    )


def embedded(picture: Path) -> str:
    """A whole SVG, or a PNG as WebP, as an address, so that the page needs no other file."""
    if picture.suffix == ".svg":
        kind, content = "svg+xml", picture.read_bytes()
    else:
        kind, buffer = "webp", io.BytesIO()
        with Image.open(picture) as image:
            image.convert("RGB").save(buffer, "WEBP", quality=WEBP_QUALITY)
        content = buffer.getvalue()
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def quality_of(measures: Mapping[str, pd.DataFrame], names: Mapping[str, str]) -> list[dict]:
    """What each cohort's quality table says: its page, the number of scans, the flagged ones.

    `names` are the cohorts as people read them: that of ixi_t1 is IXI T1.
    """
    return [
        {
            "name": names[cohort],
            "address": f"quality/{cohort}/index.html",
            "scans": len(table),
            "flagged": [
                {"name": name_of_row(row), "why": row["why"]}
                for row in table[table["flagged"]].to_dict("records")
            ],
            "registered": bool(table["overlap"].notna().any()),
            "measured": bool(table["brain_ml"].notna().any()),
        }
        for cohort, table in measures.items()
    ]


def registered_to(facts: pd.DataFrame | None, quality: Sequence[dict]) -> str:
    """Which scans were registered to which template, in a sentence or two.

    The facts of the template are None where all data sets came preprocessed.
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
        sentences.append(
            f"Registered to the template: {', '.join(registered)}. The template: {source}."
        )
    if given:
        sentences.append(f"Taken as they came, preprocessed elsewhere: {', '.join(given)}.")
    return " ".join(sentences)
