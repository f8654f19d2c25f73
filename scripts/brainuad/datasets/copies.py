"""One scan under two names: found by its voxels, within a data set and across those of a run."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import pandas as pd

from brainuad.datasets.subjects import LEFT_OUT, modalities_of
from brainuad.io.tables import DIGEST


class Owner(NamedTuple):
    """The subject that keeps a scan, and the data set it is of; "" is the table's own."""

    dataset: str
    subject: str
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

    Within the table the subjects with more usable scans come first, then those first by name.
    """
    # ASSUME: whoever shares one scan with another is the same person, and left out with all scans.
    owners: dict[str, Owner] = {}
    for dataset, other in (earlier or {}).items():
        for _, row in _usable(other).iterrows():
            for digest, path in _scans(row).items():
                owners.setdefault(digest, Owner(dataset, row["subject"], path))
    reasons = {}
    usable = _usable(table)
    digests = [modality + DIGEST for modality in modalities_of(table)]
    counts = usable[digests].notna().sum(axis=1)
    order = usable.assign(scans=-counts).sort_values(["scans", "subject"]).index
    for place in order:
        row = table.loc[place]
        scans = _scans(row)
        for digest, path in scans.items():
            owner = owners.get(digest)
            if owner and not (owner.dataset in sharing_files and owner.path == path):
                reasons[place] = _reason(path, owner)
                break
        else:
            for digest, path in scans.items():
                owners.setdefault(digest, Owner("", row["subject"], path))
    table = table.copy()
    table.loc[list(reasons), "status"] = LEFT_OUT
    table["reason"] = pd.Series(reasons, dtype=object).reindex(table.index).fillna(table["reason"])
    return table


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
    whose = f"{owner.subject} of {owner.dataset}" if owner.dataset else owner.subject
    return f"{path}: holds the same voxels as {owner.path} of {whose}, which is kept; remove one"
