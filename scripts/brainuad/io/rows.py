"""Tidy tables row by row, for the many short jobs that importing pandas would slow down."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from brainuad.io.job import replacing


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a TSV with a header, by column; every cell is text, an empty one is ""."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def write_rows(columns: Sequence[str], rows: Iterable[Sequence[object]], path: Path) -> None:
    """Write the TSV that `tables.write_table` would write of the same values."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(columns)
        # Only NaN differs from itself.
        writer.writerows(["" if cell != cell else cell for cell in row] for row in rows)
