"""Tidy tables as TSV files."""

from pathlib import Path

import pandas as pd

from brainuad.io.job import replacing

# Columns of names and the like, which may look like numbers.
TEXTS = ("subject", "dataset", "method", "site", "t1_digest", "t2_digest")


def read_table(path: Path) -> pd.DataFrame:
    """Read a TSV with a header; names are text, also those that look like numbers; empty is NaN."""
    return pd.read_csv(
        path,
        sep="\t",
        dtype=dict.fromkeys(TEXTS, str),
        na_values=[""],
        keep_default_na=False,
        encoding="utf-8",
    )


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a TSV with a header and no index; floats keep all digits, NaN is an empty cell."""
    with replacing(path) as temporary:
        frame.to_csv(temporary, sep="\t", index=False, lineterminator="\n", encoding="utf-8")
