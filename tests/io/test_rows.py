"""Rows without pandas: the same bytes as with it, and every cell as text."""

import numpy as np
import pandas as pd

from brainuad.io.rows import read_rows, write_rows
from brainuad.io.tables import write_table

COLUMNS = ["subject", "score", "reason"]
ROWS = [
    ["007", 0.1 + 0.2, 'he said "no"'],
    ["Müller", np.float64(1e-7), "two\tcells"],
    ["NA", float("nan"), ""],
    ["", 1400.0, "one, two; three"],
]


def test_rows_are_the_bytes_that_pandas_writes(tmp_path):
    for rows in (ROWS, []):
        write_rows(COLUMNS, rows, tmp_path / "rows.tsv")
        write_table(pd.DataFrame(rows, columns=COLUMNS), tmp_path / "table.tsv")
        assert (tmp_path / "rows.tsv").read_bytes() == (tmp_path / "table.tsv").read_bytes()


def test_every_cell_is_read_as_it_stands(tmp_path):
    write_rows(COLUMNS, ROWS, tmp_path / "rows.tsv")
    found = read_rows(tmp_path / "rows.tsv")
    assert [row["subject"] for row in found] == ["007", "Müller", "NA", ""]
    assert [row["reason"] for row in found] == [row[2] for row in ROWS]
    assert found[2]["score"] == ""
