"""Age, sex and site of subjects, from a table that came with a data set or that a user wrote."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import xlrd

from brainuad.errors import SettingsError
from brainuad.sources import RawSubject

IXI_NUMBER, IXI_AGE, IXI_SEX = "IXI_ID", "AGE", "SEX_ID (1=m, 2=f)"
IXI_SEXES = {"1": "m", "2": "f"}
IXI_SUBJECT = re.compile(r"(IXI\d+)-.+")
SEXES = {"m": "m", "male": "m", "f": "f", "female": "f"}


@dataclass(frozen=True)
class Person:
    """age in years, sex "f" or "m", site hospital, scanner or cohort; None where unknown."""

    age: float | None = None
    sex: str | None = None
    site: str | None = None


def find_demographics(folders: Sequence[Path], names: Sequence[str]) -> Path | None:
    """The first table of one of the names in the folders, or one folder deeper; None without."""
    for folder in folders:
        for pattern in (*names, *(f"*/{name}" for name in names)):
            if found := sorted(folder.glob(pattern)):
                return found[0]
    return None


def table_named(name: str, folders: Sequence[Path]) -> Path:
    """The path of a table in the first of the folders that has it; without any, in the first."""
    paths = [folder / name for folder in folders]
    return next((path for path in paths if path.exists()), paths[0])


def read_demographics(path: Path) -> dict[str, Person]:
    """People by subject: of a table with the column subject or participant_id, or of IXI's own.

    The columns age, sex and site are read as far as they are there; an age that is no positive
    number is unknown, so is a sex that is neither male nor female. IXI's spreadsheet is known by
    its column IXI_ID, and its people are named IXI002. Of repeated rows of a subject the first that
    gives an age counts. Raises SettingsError, one line, for a table that cannot be read or names
    nobody.
    """
    table = read_spreadsheet(path)
    names = {column.lower(): column for column in table.columns}
    if IXI_NUMBER in table.columns:
        if missing := [column for column in (IXI_AGE, IXI_SEX) if column not in table.columns]:
            raise SettingsError(
                f"{path}: has no column {missing[0]!r}; take IXI.xls as it was downloaded"
            )
        subjects = "IXI" + table[IXI_NUMBER].str.removesuffix(".0").str.zfill(3)
        sexes, columns = IXI_SEXES, {"age": IXI_AGE, "sex": IXI_SEX}
    elif subject := names.get("subject", names.get("participant_id")):
        subjects, sexes = table[subject], SEXES
        columns = {key: names[key] for key in ("age", "sex", "site") if key in names}
    else:
        raise SettingsError(
            f"{path}: has neither a column subject nor participant_id; "
            f"its columns are {', '.join(table.columns)}"
        )
    people: dict[str, Person] = {}
    for subject, (_, row) in zip(subjects, table.iterrows(), strict=True):
        person = person_of({key: row[column] for key, column in columns.items()}, sexes)
        if not isinstance(subject, str):
            continue
        # ASSUME: of the repeated rows of a subject, the first that gives an age counts.
        if subject not in people or (people[subject].age is None and person.age is not None):
            people[subject] = person
    return people


def person_of(row: Mapping[str, object], sexes: Mapping[str, str] = SEXES) -> Person:
    """The person of a row of texts, as far as it holds age, sex and site; empty cells are NaN."""
    age = pd.to_numeric(row.get("age"), errors="coerce")
    site = row.get("site")
    return Person(
        age=float(age) if pd.notna(age) and 0 < age < math.inf else None,
        sex=sexes.get(str(row.get("sex")).strip().lower().removesuffix(".0")),
        site=site if isinstance(site, str) else None,
    )


def with_demographics(
    subjects: Sequence[RawSubject], people: Mapping[str, Person]
) -> list[RawSubject]:
    """The subjects with age, sex and site of the table, where the data set itself gave none.

    A row is found by the subject's name, with or without `sub-`; in IXI by the number in it.
    """
    described = []
    for raw in subjects:
        ixi = IXI_SUBJECT.fullmatch(raw.subject)
        keys = [raw.subject, raw.subject.removeprefix("sub-"), *(ixi.groups() if ixi else ())]
        person = next((people[key] for key in keys if key in people), Person())
        known = {key: value for key, value in vars(person).items() if getattr(raw, key) is None}
        described.append(replace(raw, **known))
    return described


def read_spreadsheet(path: Path) -> pd.DataFrame:
    """A table of texts from .xls, .csv (commas) or .tsv; empty cells are NaN.

    Raises SettingsError, one line, for a file that is missing or not such a table.
    """
    try:
        match path.suffix.lower():
            case ".xls":
                table = _first_sheet(path)
            case ".csv" | ".tsv" | ".txt":
                separator = "," if path.suffix.lower() == ".csv" else "\t"
                table = pd.read_csv(path, sep=separator, dtype=str, encoding="utf-8-sig")
            case _:
                raise SettingsError(f"{path}: is no .xls, .csv or .tsv; save the table as CSV")
    except FileNotFoundError:
        raise SettingsError(f"{path}: the file does not exist; correct the name") from None
    except SettingsError:
        raise
    # Damaged spreadsheets raise whatever the reader stumbles over.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise SettingsError(
            f"{path}: is no table that can be read ({reason}); save it anew, as CSV in UTF-8"
        ) from None
    table = table.rename(columns=lambda column: str(column).strip())
    return table.map(lambda cell: cell.strip() or math.nan if isinstance(cell, str) else cell)


def _first_sheet(path: Path) -> pd.DataFrame:
    sheet = xlrd.open_workbook(path).sheet_by_index(0)
    names, *rows = (sheet.row_values(number) for number in range(sheet.nrows))
    return pd.DataFrame([[_text(cell) for cell in row] for row in rows], columns=names)


def _text(cell: str | float) -> str | float:
    # A spreadsheet has no whole numbers, and its empty cells are empty texts.
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell) if cell != "" else math.nan
