"""Text tables that people write as CSV or TSV, with any columns."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from brainuad.io.errors import SettingsError
from brainuad.io.formats import what_pointer_file
from brainuad.io.text_rows import read_text_rows

UNKNOWN = ("n/a", "na", "nan", "#n/a", "none", "null", "unknown", "-", "--", ".", "?")


def read_text_table(path: Path) -> pd.DataFrame:
    """A table as `table_of` gives it, from the rows that `read_text_rows` reads."""
    with reading(path):
        return table_of(read_text_rows(path), path)


def check_columns_are_named(table: pd.DataFrame, path: Path) -> None:
    """Raise SettingsError for a value in a column without a name, except the first column.

    A row with a separator inside a cell may have as many cells as a header that ends in one.
    """
    for place, name in enumerate(table.columns):
        cells = table.iloc[:, place].dropna()
        # The first column may count the rows.
        if place and not name and not cells.empty:
            raise SettingsError(
                f"{path}: row {cells.index[0]} has {cells.iloc[0]!r} in a column without a name; "
                "name the column, or correct the row: it may have a separator inside a cell"
            )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn any error in reading a table into a SettingsError of one line that names the file."""
    if pointer := what_pointer_file(path):
        raise SettingsError(f"{path}: {pointer}")
    try:
        yield
    except FileNotFoundError:
        raise SettingsError(f"{path}: the file does not exist; correct the name") from None
    except SettingsError:
        raise
    # Readers of damaged spreadsheets raise errors of any kind.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise SettingsError(
            f"{path}: is not a table that can be read ({reason}); save it again as CSV in UTF-8"
        ) from None


def table_of(rows: Iterable[Sequence[str]], path: Path) -> pd.DataFrame:
    """A table of texts without the spaces around them, from its rows; empty cells are NaN.

    The first row with a value is the header. Names of columns may repeat. The index counts rows as
    a spreadsheet program does, from 1; rows without a value are skipped. Raises SettingsError
    for a row with more or fewer cells than the header, ValueError for a table without a value.
    """
    stripped = {number: [cell.strip() for cell in row] for number, row in enumerate(rows, start=1)}
    filled = {number: row for number, row in stripped.items() if any(row)}
    if not filled:
        raise ValueError("it is empty")
    header = filled.pop(min(filled))
    for number, row in filled.items():
        if len(row) != len(header):
            raise SettingsError(
                f"{path}: row {number} has {_cells(row)}, the header {len(header)}; correct the "
                "row: it has too many or too few separators, or one inside a cell"
            )
    table = pd.DataFrame(list(filled.values()), columns=header, index=list(filled), dtype=str)
    return table.mask(table == "")


def column_of(table: pd.DataFrame, spellings: Sequence[str], path: Path) -> pd.Series | None:
    """The column whose name matches one of the regular expressions `spellings`; else None.

    Names are compared as `plain_name` gives them. If several columns match, those with a value come
    first, and then those of earlier spellings. Raises SettingsError, one line, if two columns with
    the same name have different values.
    """
    places = dict.fromkeys(
        place
        for spelling in spellings
        for place, name in enumerate(table.columns)
        if matches(name, [spelling])
    )
    columns = [table.iloc[:, place] for place in places]
    filled = [column for column in columns if known(column).notna().any()]
    if not filled:
        return columns[0] if columns else None
    for other in filled[1:]:
        if plain_name(other.name) == plain_name(filled[0].name) and not other.equals(filled[0]):
            raise SettingsError(
                f"{path}: has two columns {filled[0].name!r} and {other.name!r} with different "
                "values; delete or rename one of them"
            )
    return filled[0]


def matches(name: str, spellings: Sequence[str]) -> bool:
    """Whether a column's name matches one of the regular expressions."""
    return any(re.fullmatch(spelling, plain_name(name)) for spelling in spellings)


def plain_name(name: str) -> str:
    """The letters and digits of a column's name in lower case: "Age (years)" is ageyears."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def known(column: pd.Series) -> pd.Series:
    """A column of texts with NaN for all words that mean an unknown value, such as n/a."""
    return column.mask(column.str.lower().isin(UNKNOWN))


def _cells(row: Sequence[str]) -> str:
    return f"{len(row)} cell" if len(row) == 1 else f"{len(row)} cells"
