"""Small HTML pages of their own, which the overview takes apart again."""

import html
from pathlib import Path

from brainuad.io.errors import SettingsError
from brainuad.io.job import replacing
from brainuad.report.pages.style import STYLE

BODY_START, BODY_END = "<main>\n", "\n</main>\n"


def page(*, title: str, body: str) -> str:
    """A small HTML page of its own around a table."""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}'
        '</title><meta name="viewport" content="width=device-width, initial-scale=1"><style>'
        f"{STYLE}body{{margin:1.2rem}}h1{{font-size:1.15rem}}</style></head><body>\n"
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
