"""Small HTML pages of their own, which the overview takes apart again."""

import html
from pathlib import Path

from brainuad.io.errors import SettingsError
from brainuad.io.job import replacing

BODY_START, BODY_END = "<main>\n", "\n</main>\n"

TABLE_STYLE = """
table.numbers{border-collapse:separate;border-spacing:0;font-variant-numeric:tabular-nums;font-size:.87rem;
 border-top:1.5px solid #333;border-bottom:1.5px solid #333;margin:.4rem 0}
table.numbers th,table.numbers td{padding:.3rem .45rem;text-align:right;white-space:nowrap}
table.numbers thead th{font-weight:600;vertical-align:bottom}
table.numbers thead th.col_heading{text-align:center}
table.words thead th.col_heading{text-align:left}
table.numbers thead tr:last-child th{border-bottom:1px solid #333}
table.numbers tbody th,table.numbers td.text{text-align:left;font-weight:500}
table.numbers td.text{white-space:normal;font-weight:400}
table.numbers thead th.blank,table.numbers tbody th:last-of-type,
table.words thead th:first-child,table.words tbody td.text:first-child{
 position:sticky;left:0;background:#fff}
table.numbers tbody tr+tr>*{border-top:1px solid #e4e4e4}
table.numbers .spread{color:#666}
table.numbers .interval{display:block;color:#767676;font-size:.8em;font-weight:400}
table.numbers td.best{font-weight:700}
p.note{color:#555;font-size:.85rem;max-width:46rem;line-height:1.45;margin:.5rem 0}
.scroll{overflow-x:auto}
"""


def page(*, title: str, body: str) -> str:
    """A small HTML page of its own around a table."""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}'
        '</title><meta name="viewport" content="width=device-width, initial-scale=1"><style>'
        "body{font-family:system-ui,sans-serif;margin:1.2rem;color:#1d1d1f;background:#fff}"
        f"h1{{font-size:1.15rem}}{TABLE_STYLE}</style></head><body>\n"
        f"<h1>{html.escape(title)}</h1>\n{BODY_START}{body}{BODY_END}</body></html>\n"
    )


def body_of(path: Path) -> str:
    """What `page` was given as its body; SettingsError for another kind of page."""
    text = path.read_text(encoding="utf-8")
    start, end = text.find(BODY_START), text.rfind(BODY_END)
    if start < 0 or end < 0:
        raise SettingsError(f"{path} is no page of this report; delete it and run again")
    return text[start + len(BODY_START) : end]


def write_text(text: str, path: Path) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
