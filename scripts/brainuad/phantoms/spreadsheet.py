"""IXI.xls: age, sex and more of the subjects of IXI, with gaps and repeats like the real file."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import xlwt

from brainuad.phantoms.acquisition import OTHER_FILES
from brainuad.phantoms.layouts import Dataset

COLUMNS = (
    "IXI_ID",
    "SEX_ID (1=m, 2=f)",
    "HEIGHT",
    "WEIGHT",
    "ETHNIC_ID",
    "MARITAL_ID",
    "OCCUPATION_ID",
    "QUALIFICATION_ID",
    "DOB",
    "DATE_AVAILABLE",
    "STUDY_DATE",
    "AGE",
)
Row = dict[str, float | date | None]


def write_spreadsheet(path: Path, *, numbers: Sequence[int], seed: int) -> None:
    """Write the BIFF file with the rows of the subjects with these numbers (IXI002: 2).

    The same seed and number give the same rows, whichever other subjects are in the file.
    """
    book = xlwt.Workbook()
    sheet = book.add_sheet("Table")
    calendar = xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for column, name in enumerate(COLUMNS):
        sheet.write(0, column, name)
    rows = [row for number in numbers for row in rows_of(number, seed=seed)]
    for line, row in enumerate(rows, start=1):
        for column, name in enumerate(COLUMNS):
            value = row[name]
            if isinstance(value, date):
                sheet.write(line, column, value, calendar)
            elif value is not None:
                sheet.write(line, column, value)
    book.save(str(path))


def rows_of(number: int, *, seed: int) -> list[Row]:
    """The rows of one subject, mostly one; None is an empty cell, 0 an unknown code."""
    full = _draw_row(number, seed)
    zeroed = {name: 0 for name in COLUMNS} | {
        "IXI_ID": number,
        "DOB": None,
        "STUDY_DATE": None,
        "AGE": None,
    }
    other = full | {"AGE": full["AGE"] + 2.5}
    # ASSUME: the kinds of faulty rows are those that others found in the real file (a row and its
    # zeroed copy, two different rows, no age, no row at all). The subjects that have them are
    # fixed, so that a few phantoms have them all.
    return {
        3: [full | {"STUDY_DATE": None, "AGE": None}],
        4: [full, zeroed],
        5: [zeroed, full],
        7: [],
        8: [full, other],
    }.get(number, [full])


def _draw_row(number: int, seed: int) -> Row:
    rng = np.random.default_rng((seed, list(Dataset).index(Dataset.IXI), number, OTHER_FILES))
    sex = int(rng.integers(1, 3))
    height = round(float(rng.normal(177 if sex == 1 else 164, 7)))
    age = float(rng.uniform(20, 86))
    visit = date(2005, 3, 1) + timedelta(days=int(rng.integers(0, 600)))
    birth = visit - timedelta(days=round(365.25 * age))
    return {
        "IXI_ID": number,
        "SEX_ID (1=m, 2=f)": sex,
        "HEIGHT": height,
        "WEIGHT": round(float(rng.normal(24, 3)) * (height / 100) ** 2),
        "ETHNIC_ID": int(rng.choice([1, 3, 4, 5], p=[0.8, 0.1, 0.05, 0.05])),
        "MARITAL_ID": int(rng.integers(1, 6)),
        "OCCUPATION_ID": int(rng.integers(1, 9)),
        "QUALIFICATION_ID": int(rng.integers(1, 6)),
        "DOB": birth,
        "DATE_AVAILABLE": 1,
        "STUDY_DATE": visit,
        "AGE": round((visit - birth).days / 365.25, 2),
    }
