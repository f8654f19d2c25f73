"""Tidy tables as TSV files."""

from pathlib import Path

import pandas as pd

from brainuad.io.job import replacing

# Columns whose values are text even if they look like numbers, and the suffix of such columns.
TEXTS = ("subject", "session", "scan", "dataset", "method", "site")
DIGEST = "_digest"


def read_table(path: Path) -> pd.DataFrame:
    """Read a TSV with a header; names are text, even if they look like numbers.

    Empty cells are NaN, except in the column session, where "" means that there are no sessions.
    """
    with open(path, encoding="utf-8") as file:
        columns = file.readline().rstrip("\n").split("\t")
    texts = [column for column in columns if column in TEXTS or column.endswith(DIGEST)]
    table = pd.read_csv(
        path,
        sep="\t",
        dtype=dict.fromkeys(texts, str),
        na_values=[""],
        keep_default_na=False,
        encoding="utf-8",
    )
    # pandas drops NaN from groups.
    return table.fillna({"session": ""}) if "session" in table else table


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a TSV with a header and no index; floats keep all digits, NaN is an empty cell."""
    with replacing(path) as temporary:
        frame.to_csv(temporary, sep="\t", index=False, lineterminator="\n", encoding="utf-8")
