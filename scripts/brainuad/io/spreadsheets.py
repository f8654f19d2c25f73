"""Tables that people write, as a spreadsheet or as text."""

from pathlib import Path

import pandas as pd
import xlrd

from brainuad.io.errors import SettingsError
from brainuad.io.text_tables import read_text_table, reading, table_of


def read_spreadsheet(path: Path) -> pd.DataFrame:
    """A table as `text_tables.table_of` gives it, from the first sheet of .xls, .csv or .tsv.

    Raises SettingsError, one line, for a file that is missing or not such a table, and for a row
    with more or fewer cells than the header.
    """
    match path.suffix.lower():
        case ".xls":
            with reading(path):
                sheet = xlrd.open_workbook(path).sheet_by_index(0)
                rows = [[_text(cell) for cell in sheet.row(line)] for line in range(sheet.nrows)]
                return table_of(rows, path)
        case ".csv" | ".tsv" | ".txt":
            return read_text_table(path)
        case _:
            raise SettingsError(f"{path}: is not .xls, .csv or .tsv; save the table as CSV")


def _text(cell: xlrd.sheet.Cell) -> str:
    # The value of a cell with an error is the error's number: 7 for #DIV/0!, 42 for #N/A.
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return ""
    # An .xls file stores all numbers as floats.
    if isinstance(cell.value, float) and cell.value.is_integer():
        return str(int(cell.value))
    return str(cell.value)
