"""Raw trees of the data sets, as a user downloads them, read into a subject table.

One module per data set, found by its name, so a new data set is one new file. It offers

LAYOUT         the files that are looked for, in words, for messages
LESION_LABELS  the labels that a lesion mask of the data set may hold besides 0
find_subjects  (root) -> list of RawSubject, sorted by name, without opening any scan
"""

import importlib
import pkgutil
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

from brainuad.errors import ScanError, SettingsError
from brainuad.volumes import read_labels, read_volume

COLUMNS = ["subject", "t1", "t2", "seg", "age", "sex", "site", "status", "reason"]
OK, LEFT_OUT = "ok", "left_out"


@dataclass(frozen=True)
class RawSubject:
    """One subject of a raw tree.

    scans  file by modality (t1, t2), as far as the files exist
    seg    lesion mask, None if the file does not exist or the data set has none
    age    years; sex "f" or "m"; site hospital, scanner or cohort; None where unknown
    """

    subject: str
    scans: dict[str, Path]
    seg: Path | None = None
    age: float | None = None
    sex: str | None = None
    site: str | None = None


@dataclass(frozen=True)
class Checked:
    """A subject with the reason for which it is left out; `broken` if a file of it is damaged."""

    raw: RawSubject
    reason: str = ""
    broken: bool = False


class Source(Protocol):
    """What a module of this package offers."""

    LAYOUT: str
    LESION_LABELS: frozenset[int]
    find_subjects: Callable[[Path], list[RawSubject]]


def source_named(name: str) -> Source:
    """The module of a data set; SettingsError names those that exist."""
    known = sorted(module.name for module in pkgutil.iter_modules(__path__))
    if name not in known:
        raise SettingsError(f"data set {name!r} is unknown; known are {', '.join(known)}")
    return importlib.import_module(f"{__name__}.{name}")


def find_subjects(name: str, root: Path) -> list[RawSubject]:
    """All subjects under a root; SettingsError naming root and layout if there are none."""
    source = source_named(name)
    if not root.is_dir():
        raise SettingsError(
            f"{name}: the data root {root} does not exist; set it to the folder that holds "
            f"{source.LAYOUT}"
        )
    subjects = source.find_subjects(root)
    if not subjects:
        raise SettingsError(f"{name}: no scans under {root}; expected {source.LAYOUT}")
    names = [raw.subject for raw in subjects]
    if repeated := sorted({subject for subject in names if names.count(subject) > 1}):
        raise SettingsError(f"{name}: {repeated[0]} stands twice under {root}; remove one of them")
    return subjects


def check_subjects(
    subjects: list[RawSubject],
    *,
    modalities: Collection[str],
    lesions: bool,
    labels: Collection[int],
    threads: int,
) -> list[Checked]:
    """Read every asked scan and lesion mask in full and note what is missing or broken."""

    def check(raw: RawSubject) -> Checked:
        if missing := [modality for modality in modalities if modality not in raw.scans]:
            return Checked(raw, reason=f"no {' and no '.join(missing)} scan of this subject")
        if lesions and raw.seg is None:
            return Checked(raw, reason="no lesion mask of this subject")
        try:
            for modality in modalities:
                scan = read_volume(raw.scans[modality])
                if lesions:
                    read_labels(raw.seg, expected=labels, grid=scan)
        except ScanError as error:
            return Checked(raw, reason=str(error), broken=True)
        return Checked(raw)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(check, subjects))


def subject_table(
    checked: list[Checked], *, modalities: Collection[str], lesions: bool
) -> pd.DataFrame:
    """One row per subject with the columns of COLUMNS; what was not asked for is empty."""
    rows = []
    for entry in checked:
        raw = entry.raw
        scans = {name: raw.scans.get(name) for name in modalities}
        rows.append(
            {
                "subject": raw.subject,
                **{name: str(path) for name, path in scans.items() if path is not None},
                "seg": str(raw.seg) if lesions and raw.seg is not None else None,
                "age": raw.age,
                "sex": raw.sex,
                "site": raw.site,
                "status": LEFT_OUT if entry.reason else OK,
                "reason": " ".join(entry.reason.split()) or None,
            }
        )
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def existing(path: Path) -> Path | None:
    """The path itself if something stands there, else None."""
    return path if path.exists() else None


def existing_scans(**candidates: Path) -> dict[str, Path]:
    """Those of the files, by modality, that exist."""
    return {name: path for name, path in candidates.items() if path.exists()}
