"""Tidy tables as TSV files."""

from pathlib import Path

import pandas as pd

from brainuad.io.job import replacing

# What columns of names and the like are called, which may look like numbers, and how those of
# digests end.
TEXTS = ("subject", "session", "scan", "dataset", "method", "site")
DIGEST = "_digest"


def read_table(path: Path) -> pd.DataFrame:
    """Read a TSV with a header; names are text, also those that look like numbers.

    Empty is NaN, but in the column session "": there it says that the data set has none.
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
    # pandas leaves out of groups what is NaN.
    return table.fillna({"session": ""}) if "session" in table else table


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a TSV with a header and no index; floats keep all digits, NaN is an empty cell."""
    with replacing(path) as temporary:
        frame.to_csv(temporary, sep="\t", index=False, lineterminator="\n", encoding="utf-8")
