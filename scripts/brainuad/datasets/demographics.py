"""Age, sex and site of subjects, from a table of the data set or of the user."""

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from brainuad.datasets.layouts import RawSubject
from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.io.scan_names import plain_session
from brainuad.io.spreadsheets import read_spreadsheet
from brainuad.io.text_tables import check_columns_are_named, column_of, known, plain_name

OLDEST = 120

IXI_SUBJECT = re.compile(r"(IXI\d+)-.+")
PERSON = r"(?:patients?|subjects?|participants?)?"
# Names of columns as `text_tables.plain_name` gives them, the preferred ones first. Ages at other
# times than the scan (onset, death) and age groups are not among them.
NAME = r"(?:id|name|number|no|nr|code|label|key)"
SPELLINGS = {
    "subject": (
        *("subject", "participantid"),
        rf"(?:subject|participant|patient|pat|subj?|case|bids|ixi|brats[0-9]*){NAME}|id",
        "participant|patient|subj?",
        rf"(?:record|person|study|pt){NAME}",
    ),
    "session": (rf"(?:session|ses|visit|timepoint){NAME}?",),
    "age": (
        "age",
        PERSON + r"(?:scan|mri)?age(?:at|in|of|the|time|first|when|scan(?:ned)?|mri?|imaging|"
        r"acquisition|visit|baseline|session|study|exam|examination|enroll?ment|entry|test|"
        r"(?P<unit>y(?:ea)?rs?|y|months?|mos?|weeks?|wks?|days?))*",
    ),
    "sex": (
        *("sex", "gender"),
        PERSON + r"(?:biological)?(?:sex|gender)(?:id|code)?(?:assigned)?(?:atbirth)?"
        r"(?:[0-9]?(?:fe)?(?:m|male|f|man|woman)[0-9]?)*",
        "mf|fm",
    ),
    "site": (
        r"site(?:id|name|code)?",
        rf"cent(?:er|re){NAME}?|hospital|institut(?:e|ion)|scanner",
    ),
}
NEITHER = {"age": f"no age above 0 and up to {OLDEST} years", "sex": "neither male nor female"}
SEXES = {"m": "m", "male": "m", "man": "m", "f": "f", "female": "f", "woman": "f"}
YEARS = {"y": 1, "m": 1 / 12, "w": 7 / 365.25, "d": 1 / 365.25}
# De-identified data have ages such as 89+, DICOM has 045Y.
AGE = re.compile(
    r"[>≥]?=?\s*(?P<number>[0-9]+(?:[.,][0-9]*)?)\s*\+?\s*"
    r"(?P<unit>y(?:ea)?rs?|y(?:/?o)?|m(?:o(?:nth)?s?)?|w(?:ee)?ks?|w|days?|d)?\.?(?:\s*old)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Person:
    """Age in years, sex "f" or "m", site (hospital, scanner or cohort); None if unknown."""

    age: float | None = None
    sex: str | None = None
    site: str | None = None


@dataclass(frozen=True)
class Demographics:
    """The people of a table by their names in it, and its number of rows.

    sessions  by the same names, the person at each session, if rows name their sessions
    """

    path: Path
    rows: int
    people: Mapping[str, Person]
    sessions: Mapping[str, Mapping[str, Person]] = field(default_factory=dict)


def find_demographics(folders: Sequence[Path], names: Sequence[str]) -> Path | None:
    """The first table with one of the names in the folders, or one folder deeper; else None."""
    for folder in folders:
        places = ([folder], sorted(path for path in folder.glob("*") if path.is_dir()))
        for path in (place / name for level in places for name in names for place in level):
            # A link without its content, as of git-annex, is there too.
            if os.path.lexists(path):
                return path
    return None


def table_named(name: str, folders: Sequence[Path]) -> Path:
    """The path of a table in the first of the folders that has it; if none has, in the first."""
    paths = [folder / name for folder in folders]
    return next((path for path in paths if path.exists()), paths[0])


def read_demographics(path: Path) -> Demographics:
    """People of a table with a column subject, participant_id or the like, such as IXI's own.

    Age, sex and site are read as by `people_of`. If rows of a subject (or of a session, if there is
    a column session) are repeated, the first one with an age counts. Raises SettingsError, one
    line, for a table that cannot be read or has no column of subjects.
    """
    table = read_spreadsheet(path)
    # Cells of a spreadsheet cannot shift, and a note may be next to the table.
    if path.suffix.lower() != ".xls":
        check_columns_are_named(table, path)
    subjects = column_of(table, SPELLINGS["subject"], path)
    if subjects is None:
        raise SettingsError(
            f"{path}: has neither a column subject nor participant_id; "
            f"its columns are {', '.join(table.columns)}"
        )
    column = column_of(table, SPELLINGS["session"], path)
    people: dict[str, Person] = {}
    sessions: dict[str, dict[str, Person]] = {}
    for (row, subject), person in zip(subjects.items(), people_of(table, path), strict=True):
        if not isinstance(subject, str):
            continue
        places = [(people, subject)]
        if session := session_in(column, row):
            places.append((sessions.setdefault(subject, {}), session))
        for persons, name in places:
            # ASSUME: if a subject has repeated rows, the first one with an age counts.
            if name not in persons or (persons[name].age is None and person.age is not None):
                persons[name] = person
    return Demographics(path, len(table), people, sessions)


def session_in(column: pd.Series | None, row: int) -> str:
    """The session in a row of the column session, as `scan_names` writes it; "" without one."""
    if column is None or pd.isna(cell := known(column)[row]):
        return ""
    return plain_session(re.sub(r"^([0-9]+)\.0+$", r"\1", cell))


def people_of(table: pd.DataFrame, path: Path) -> list[Person]:
    """The person of each row of a spreadsheet, as far as it has columns of age, sex and site.

    The log says which columns are read, and which of their cells cannot be read.
    """
    columns = {key: column_of(table, SPELLINGS[key], path) for key in READERS}
    origins = [
        f"no {key}" if column is None else f"{key} from {column.name!r}"
        for key, column in columns.items()
    ]
    job.log(f"{path}: {', '.join(origins)}")
    facts: dict[str, dict[int, float | str | None]] = {}
    for key, column in columns.items():
        if column is not None:
            cells = known(column).dropna()
            facts[key] = READERS[key](cells)
            unread = [cell for row, cell in cells.items() if facts[key][row] is None]
            if unread:
                job.log(
                    f"{path}: {len(unread)} of {len(cells)} cells of {column.name!r} are "
                    f"{NEITHER[key]} ({_some(unread)}): unknown"
                )
    return [
        Person(**{key: values.get(row) for key, values in facts.items()}) for row in table.index
    ]


def with_demographics(
    subjects: Sequence[RawSubject], table: Demographics
) -> tuple[list[RawSubject], list[str]]:
    """The subjects, with age, sex and site from a table if the data set itself has none; remarks.

    A row is found by the subject's name, with or without `sub-`, and in IXI by the number in it. If
    there is none, it is found by the name without leading zeros, if only one row and one subject
    have it. If rows name their sessions, a scan gets only the age and site of its own session. The
    remarks are lines on rows that match no subject or several, and on sessions without a row.
    """
    matches, remarks = _match(list(dict.fromkeys(raw.subject for raw in subjects)), table)
    described, without = [], []
    for raw in subjects:
        person = Person()
        if name := matches.get(raw.subject):
            person = table.people[name]
            if raw.session and (sessions := table.sessions.get(name)):
                # ASSUME: age and site may differ between sessions, so only the sex is taken from
                # another session.
                found = _session_named(raw.session, sessions)
                without += [] if found else [raw.name]
                person = replace(found or Person(), sex=(found and found.sex) or person.sex)
        added = {key: value for key, value in vars(person).items() if getattr(raw, key) is None}
        described.append(replace(raw, **added))
    if without:
        shown = f"has no row for {len(without)} of the sessions ({_some(without)})"
        remarks.append(f"{table.path}: {shown}")
    return described, remarks


def age_of(cell: str, unit: str = "y") -> float | None:
    """The age in years in a text; `unit` (y, m, w, d) is used if the text names none.

    "89+" is 89, "045Y" 45, "18 months" 1.5. None if there is no number above 0 and up to 120 years.
    """
    match = AGE.fullmatch(cell.strip())
    if match is None:
        return None
    named = (match["unit"] or unit)[0].lower()
    age = float(match["number"].replace(",", ".")) * YEARS[named]
    return age if 0 < age <= OLDEST else None


def _read_ages(cells: pd.Series) -> dict[int, float | None]:
    name = re.fullmatch(SPELLINGS["age"][-1], plain_name(cells.name))
    return {row: age_of(cell, name["unit"] or "y") for row, cell in cells.items()}


def _read_sexes(cells: pd.Series) -> dict[int, str | None]:
    """Sexes by row; codes are read if the column's name explains them: SEX_ID (1=m, 2=f)."""
    name = cells.name.lower()
    codes = {
        **dict(re.findall(r"([0-9])\s*[=:]\s*([a-z]+)", name)),
        **{code: word for word, code in re.findall(r"([a-z]+)\s*[=:]\s*([0-9])", name)},
    }
    words = {row: cell.lower().removesuffix(".0") for row, cell in cells.items()}
    return {row: SEXES.get(codes.get(word, word)) for row, word in words.items()}


READERS = {"age": _read_ages, "sex": _read_sexes, "site": dict}


def _match(subjects: Sequence[str], table: Demographics) -> tuple[dict[str, str], list[str]]:
    """The name in the table of each subject; and remarks."""
    names = {subject: _ixi_number(subject) or subject for subject in subjects}
    alike = defaultdict(set)
    for name in names.values():
        alike[_loosely(name)].add(name)
    rows = defaultdict(list)
    for row in table.people:
        rows[_loosely(row)].append(row)
    matches, unclear = {}, []
    for subject, name in names.items():
        keys = (subject, subject.removeprefix("sub-"), name)
        exact = [key for key in keys if key in table.people]
        loose = rows.get(_loosely(name), [])
        if exact:
            matches[subject] = exact[0]
        elif len(loose) == len(alike[_loosely(name)]) == 1:
            matches[subject] = loose[0]
        else:
            unclear += loose
    taken = set(matches.values())
    remarks = []
    if unclear := [row for row in dict.fromkeys(unclear) if row not in taken]:
        remarks.append(f"{_some(unclear)} may be of several subjects, or of the same one: not used")
    if not matches:
        rows_named = f"{_some(list(table.people), 1)}; " if table.people else ""
        called = f"{rows_named}subjects are called {_some(subjects, 1)}"
        rows = "1 row" if table.rows == 1 else f"{table.rows} rows"
        remarks.append(f"none of its {rows} names a subject ({called})")
    else:
        if without := [subject for subject in subjects if subject not in matches]:
            remarks.append(f"has no row for {len(without)} of the subjects ({_some(without)})")
        if others := [row for row in table.people if row not in taken]:
            remarks.append(f"has rows for {len(others)} who are not subjects ({_some(others)})")
    return matches, [f"{table.path}: {remark}" for remark in remarks]


def _session_named(session: str, sessions: Mapping[str, Person]) -> Person | None:
    """The person at a session, by its name, or by the name without leading zeros if unique."""
    alike = [person for name, person in sessions.items() if _loosely(name) == _loosely(session)]
    return sessions.get(session) or (alike[0] if len(alike) == 1 else None)


def _ixi_number(subject: str) -> str | None:
    match = IXI_SUBJECT.fullmatch(subject)
    return match and match[1]


def _loosely(name: str) -> str:
    """A name in lower case without `sub-`, the letters IXI, leading zeros, the .0 of a number."""
    whole = re.sub(r"^([0-9]+)\.0+$", r"\1", name.lower())
    bare = re.sub(r"^(?:sub[-_ ]|sub(?=[0-9])|ixi[-_ ]?(?=[0-9]))", "", whole)
    return re.sub(r"0*([0-9]+)", r"\1", bare)


def _some(names: Sequence[str], number: int = 3) -> str:
    """The first of some names: 1, 2, 3 ..."""
    shown = ", ".join(list(dict.fromkeys(names))[:number])
    return f"{shown} ..." if len(names) > number or number == 1 else shown
