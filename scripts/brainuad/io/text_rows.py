"""The cells of text tables that people write as CSV or TSV, without pandas."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

CSV_SEPARATORS = (",", ";", "\t")


def read_text_rows(path: Path) -> list[list[str]]:
    """The rows of a .csv, .tsv or .txt in UTF-8, as they are in the file.

    The separator of a .csv is the comma, semicolon or tab with which all rows have as many cells as
    the header, or else the one that gives the header most cells. In the other formats it is the
    tab, and quotes are plain characters. Raises OSError, UnicodeDecodeError or csv.Error.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        text = file.read()
    if path.suffix.lower() != ".csv":
        lines = io.StringIO(text, newline="")
        return list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    separator = max(CSV_SEPARATORS, key=lambda separator: _fit(text, separator))
    return list(_csv(text, separator, strict=True))


def _csv(text: str, separator: str, *, strict: bool) -> Iterator[list[str]]:
    lines = io.StringIO(text, newline="")
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=strict)


def _fit(text: str, separator: str) -> tuple[bool, int]:
    """Whether a separator divides all rows into equally many cells; the cells of the header."""
    counts = [len(row) for row in _csv(text, separator, strict=False) if any(map(str.strip, row))]
    return len(set(counts)) == 1 and counts[0] > 1, next(iter(counts), 0)
