"""Names of files in BIDS: entities of letters and digits alone, and no two subjects with one."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path


def label_of(name: str) -> str:
    """A name as BIDS takes it for a label: its letters and digits, cddpm_ens as cddpmens."""
    return re.sub("[^A-Za-z0-9]", "", name)


def labels_of(names: Iterable[str], *, prefix: str) -> dict[str, str]:
    """A label of its own for each name, without the prefix that it may have, such as "sub-".

    Names whose letters and digits are the same are told apart by a number behind an x. File systems
    may take capitals for small letters, so labels that differ in them alone are the same too.
    """
    labels: dict[str, str] = {}
    taken: set[str] = set()
    for name in dict.fromkeys(names):
        plain = label_of(name.removeprefix(prefix)) or "x"
        label, number = plain, 1
        while label.lower() in taken:
            number += 1
            label = f"{plain}x{number}"
        taken.add(label.lower())
        labels[name] = label
    return labels


class ScanNames:
    """The names of the scans of one data set, from the rows of its subject table."""

    def __init__(self, rows: Iterable[Mapping[str, str]]) -> None:
        rows = list(rows)
        self._subjects = labels_of((row["subject"] for row in rows), prefix="sub-")
        sessions = sorted({row["session"] for row in rows} - {""})
        self._sessions = labels_of(sessions, prefix="ses-")

    def participant(self, row: Mapping[str, str]) -> str:
        """Such as sub-01."""
        return f"sub-{self._subjects[row['subject']]}"

    def entities(self, row: Mapping[str, str]) -> str:
        """What the files of a scan begin with: sub-01, or sub-01_ses-2."""
        return "_".join(self._parts(row))

    def folder(self, row: Mapping[str, str]) -> Path:
        """The folder of a scan's files: sub-01/anat, or sub-01/ses-2/anat."""
        return Path(*self._parts(row), "anat")

    def _parts(self, row: Mapping[str, str]) -> list[str]:
        session = row["session"]
        return [self.participant(row), *([f"ses-{self._sessions[session]}"] if session else [])]
