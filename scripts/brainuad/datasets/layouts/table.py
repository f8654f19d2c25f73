"""A user's own scans, listed in a table: a row per subject and session, a column per file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from brainuad.datasets.demographics import (
    READERS,
    SPELLINGS,
    Person,
    people_of,
    session_in,
    table_named,
)
from brainuad.datasets.layouts import Layout, LayoutOptions, RawSubject, why_no_name
from brainuad.datasets.layouts._tree import in_numbers
from brainuad.io import formats
from brainuad.io.errors import SettingsError
from brainuad.io.scan_names import scan_name
from brainuad.io.spreadsheets import read_spreadsheet
from brainuad.io.text_tables import column_of, known, matches

LAYOUT = Layout(
    expected="the table that the key table names",
)

# Scans that a table may list even if they are not wanted.
NOT_NEEDED = ("t1", "t2", "flair", "pd")


def find_subjects(root: Path, options: LayoutOptions) -> list[RawSubject]:
    """The rows of the table: subject, session, the scans, seg, age, sex, site, as far as needed.

    The table is next to the downloaded archives, and its paths are relative to the root with the
    unpacked files; or it is in the root, and its paths are relative to its own folder. Paths may be
    absolute, and cells may be empty. A scan that is listed twice is not used. Raises SettingsError
    for a column that is unknown or missing, and for a subject or session whose name cannot be used.
    """
    downloads = options.downloads or root
    path = table_named(options.table or "", [downloads, root])
    with_archives = downloads != root and path.is_relative_to(downloads)
    folder = root if with_archives else path.parent
    table = read_spreadsheet(path)
    keys, scans = ("subject", "session"), dict.fromkeys((*options.modalities, *NOT_NEEDED))
    names = (*keys, *scans, "seg", *READERS)
    spellings = {name: SPELLINGS.get(name, (name,)) for name in names}
    for place, column in enumerate(table.columns):
        named = any(matches(column, of_name) for of_name in spellings.values())
        if not named and (column or table.iloc[:, place].notna().any()):
            raise SettingsError(
                f"{path}: has the unknown column {column!r}; known are {', '.join(names)}"
            )
    roles = (*options.modalities, "seg")
    columns = {name: column_of(table, spellings[name], path) for name in (*keys, *roles)}
    if missing := [name for name in ("subject", *options.modalities) if columns[name] is None]:
        raise SettingsError(f"{path}: has no column {missing[0]!r}")
    cells = {role: known(columns[role]) for role in roles if columns[role] is not None}
    people = people_of(table, path)
    found: dict[tuple[str, str], RawSubject] = {}
    for row, person in zip(table.index, people, strict=True):
        place = f"{path}, row {row}"
        subject = _name(columns["subject"][row], place)
        session = session_in(columns["session"], row)
        if reason := why_no_name(scan_name(subject, session)):
            raise SettingsError(f"{place}: {reason}")
        if (subject, session) in found:
            whose = f"session {session} of this subject" if session else "this subject"
            problem = (
                f"{path}: has more than one row for {whose}; keep one of them, or give them "
                "different values in a column session"
            )
            found[subject, session] = RawSubject(subject, {}, session=session, problem=problem)
        else:
            files = {
                role: folder / cell[row] for role, cell in cells.items() if pd.notna(cell[row])
            }
            found[subject, session] = _raw_subject(subject, session, files, person)
    order = sorted(found, key=lambda pair: (pair[0], in_numbers(pair[1])))
    return _with_own_scans([found[pair] for pair in order], options.modalities, path)


def _with_own_scans(
    subjects: Sequence[RawSubject], modalities: Sequence[str], path: Path
) -> list[RawSubject]:
    """The subjects, with a problem if one of their scans is listed more than once."""
    users: dict[Path, list[str]] = {}
    for raw in subjects:
        for role in modalities:
            if role in raw.scans:
                users.setdefault(raw.scans[role].resolve(), []).append(raw.name)
    problems = {
        name: f"{path}: {scan} is listed more than once ({', '.join(names)}); give each row its "
        "own scan"
        for scan, names in users.items()
        if len(names) > 1
        for name in names
    }
    return [replace(raw, problem=problems.get(raw.name, raw.problem)) for raw in subjects]


def _raw_subject(
    subject: str, session: str, files: Mapping[str, Path], person: Person
) -> RawSubject:
    problems = {
        role: f"{file}: {formats.what_by_suffix(file.name)}"
        for role, file in files.items()
        if file.name.lower().endswith(formats.SUFFIXES)
    }
    taken = {role: file for role, file in files.items() if role not in problems}
    return RawSubject(
        subject,
        {role: file for role, file in taken.items() if role != "seg"},
        seg=taken.get("seg"),
        session=session,
        **vars(person),
        problems=problems,
    )


def _name(subject: object, place: str) -> str:
    if not isinstance(subject, str):
        raise SettingsError(f"{place}: the subject has no name")
    return subject
