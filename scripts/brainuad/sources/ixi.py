"""IXI: healthy subjects of three London hospitals, brain-development.org."""

import re
from pathlib import Path

import pandas as pd

from brainuad.errors import SettingsError
from brainuad.sources import RawSubject

LAYOUT = "IXI-T1/IXI002-Guys-0828-T1.nii.gz and IXI-T2/IXI002-Guys-0828-T2.nii.gz, or both flat"
LESION_LABELS: frozenset[int] = frozenset()

NAME = re.compile(
    r"(?P<subject>IXI(?P<id>\d+)-(?P<site>[A-Za-z]+)-\d+)-(?P<modality>T[12])\.nii\.gz"
)
DEMOGRAPHICS = "IXI.csv"
SEXES = {1: "m", 2: "f"}


def find_subjects(root: Path) -> list[RawSubject]:
    """One subject per name, with the modalities there are: a few have only one of T1 and T2."""
    people = _demographics(root / DEMOGRAPHICS)
    scans: dict[str, dict[str, Path]] = {}
    matches: dict[str, re.Match[str]] = {}
    for folder in (root, root / "IXI-T1", root / "IXI-T2"):
        for path in sorted(folder.glob("IXI*.nii.gz")):
            if match := NAME.fullmatch(path.name):
                subject = match["subject"]
                scans.setdefault(subject, {})[match["modality"].lower()] = path
                matches[subject] = match
    subjects = []
    for subject in sorted(scans):
        age, sex = people.get(int(matches[subject]["id"]), (None, None))
        site = matches[subject]["site"]
        subjects.append(RawSubject(subject, scans[subject], age=age, sex=sex, site=site))
    return subjects


def _demographics(path: Path) -> dict[int, tuple[float | None, str | None]]:
    # ASSUME: age and sex of IXI come from IXI.xls saved as IXI.csv in the data root, if it is
    # there; of the repeated rows of a subject the first that gives an age counts.
    if not path.exists():
        return {}
    table = pd.read_csv(path)
    columns = {"id": "IXI_ID", "age": "AGE", "sex": "SEX_ID (1=m, 2=f)"}
    if missing := [column for column in columns.values() if column not in table.columns]:
        raise SettingsError(f"{path}: the column {missing[0]!r} is missing; save IXI.xls as CSV")
    people: dict[int, tuple[float | None, str | None]] = {}
    for row in table[list(columns.values())].itertuples(index=False):
        number, age, sex = int(row[0]), row[1], SEXES.get(row[2])
        if people.get(number, (None, None))[0] is None:
            people[number] = (float(age) if pd.notna(age) else None, sex)
    return people
