"""One scan under two names: found by its voxels, within a data set and across those of a run."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import pandas as pd

from brainuad.datasets.subjects import LEFT_OUT, modalities_of
from brainuad.io.scan_names import name_of_row
from brainuad.io.tables import DIGEST


class Owner(NamedTuple):
    """Who keeps a scan, by what name, and the data set it is of; "" is the table's own."""

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
    """The subject table with the subjects left out who share a scan with one that comes before.

    earlier        by data set, the subject tables that come before
    sharing_files  those of them whose very files the table may hold too

    Within the table the subjects with more usable scans come first, then those first by name; of a
    subject its sessions in their order. Who shares a scan with somebody else is left out with all
    sessions; of two sessions of one subject with the same scan the later one is.
    """
    # ASSUME: whoever shares one scan with another is the same person, and left out with all scans:
    # under two names they could stand on two sides of a split.
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
    """From digest to path of a subject's usable scans."""
    return {
        digest: str(row[column.removesuffix(DIGEST)])
        for column, digest in row.items()
        if column.endswith(DIGEST) and pd.notna(digest)
    }


def _reason(path: str, owner: Owner) -> str:
    whose = f"{owner.name} of {owner.dataset}" if owner.dataset else owner.name
    return f"{path}: holds the same voxels as {owner.path} of {whose}, which is kept; remove one"
