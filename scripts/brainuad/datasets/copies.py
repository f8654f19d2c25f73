"""Find a scan that has two names by its voxels, within a data set and across those of a run."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import pandas as pd

from brainuad.datasets.subjects import LEFT_OUT, modalities_of
from brainuad.io.scan_names import name_of_row
from brainuad.io.tables import DIGEST


class Owner(NamedTuple):
    """The subject that keeps a scan, the scan's name, and its data set; "" is the table's own."""

    dataset: str
    subject: str
    name: str
    path: str


def leave_out_copies(
    table: pd.DataFrame,
    earlier: Mapping[str, pd.DataFrame] | None = None,
    *,
    sharing_files: Collection[str] = (),
) -> pd.DataFrame:
    """The subject table, in which subjects are left out that share a scan with an earlier one.

    earlier        the subject tables of data sets that come before, by their names
    sharing_files  those of these data sets whose very files the table may contain too

    Within the table, subjects with more usable scans come first, and then those first by name; the
    sessions of a subject keep their order. A subject that shares a scan with another one is left
    out with all sessions; if two sessions of one subject have the same scan, the later one is.
    """
    # ASSUME: subjects that share a scan are the same person, and one of them is left out with all
    # scans: under two names, a person could be in two partitions of a split.
    owners: dict[str, Owner] = {}
    for dataset, other in (earlier or {}).items():
        for _, row in _usable(other).iterrows():
            for digest, path in _scans(row).items():
                owners.setdefault(digest, _owner(dataset, row, path))
    reasons = {}
    usable = _usable(table)
    digests = [modality + DIGEST for modality in modalities_of(table)]
    people = [(subject, rows) for subject, rows in usable.groupby("subject")]
    people.sort(key=lambda person: -int(person[1][digests].count().sum()))
    for _, rows in people:
        kept: dict[str, Owner] = {}
        copied = ""
        for place, row in rows.iterrows():
            scans = _scans(row)
            for digest, path in scans.items():
                owner = owners.get(digest)
                if owner and not (owner.dataset in sharing_files and owner.path == path):
                    copied = copied or _reason(path, owner)
                elif digest in kept:
                    reasons.setdefault(place, _reason(path, kept[digest]))
            if place not in reasons:
                kept |= {digest: _owner("", row, path) for digest, path in scans.items()}
        if copied:
            reasons |= dict.fromkeys(rows.index, copied)
        else:
            owners.update((digest, kept[digest]) for digest in kept.keys() - owners.keys())
    table = table.copy()
    table.loc[list(reasons), "status"] = LEFT_OUT
    table["reason"] = pd.Series(reasons, dtype=object).reindex(table.index).fillna(table["reason"])
    return table


def _owner(dataset: str, row: pd.Series, path: str) -> Owner:
    return Owner(dataset, row["subject"], name_of_row(row), path)


def _usable(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["status"] != LEFT_OUT]


def _scans(row: pd.Series) -> dict[str, str]:
    """The paths of a subject's usable scans, by the scans' digests."""
    return {
        digest: str(row[column.removesuffix(DIGEST)])
        for column, digest in row.items()
        if column.endswith(DIGEST) and pd.notna(digest)
    }


def _reason(path: str, owner: Owner) -> str:
    whose = f"{owner.name} of {owner.dataset}" if owner.dataset else owner.name
    return f"{path}: holds the same voxels as {owner.path} of {whose}, which is kept; remove one"
