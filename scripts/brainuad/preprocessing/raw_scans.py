"""What both entrances of the chain share: the scans of a chunk, and lesions out of labels."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from brainuad.images.mask_labels import IGNORED
from brainuad.images.volumes import whole_numbers
from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.io.rows import read_rows
from brainuad.io.scan_names import name_of_row

# From column to cell of a row of the subject table; an empty cell is "".
Row = Mapping[str, str]


def rows_by_name(path: Path) -> dict[str, Row]:
    """The rows of a subject table by the name of the scan, see `scan_name`."""
    return {name_of_row(row): row for row in read_rows(path)}


def rows_of_chunk(path: Path, names: Sequence[str], *, modality: str) -> dict[str, Row]:
    """The rows of the named scans; SettingsError for one without this modality."""
    rows = rows_by_name(path)
    for name in names:
        if not rows.get(name, {}).get(modality):
            raise SettingsError(
                f"{path}: has no {modality} scan of {name}; list the subjects again"
            )
    return {name: rows[name] for name in names}


def mark_lesions(
    labels: np.ndarray, *, lesion_labels: Collection[int], ignored_labels: Collection[int]
) -> np.ndarray:
    """Fuse labels to 0 none, 1 lesion, 2 ignored, uint8.

    A label in neither list is no lesion: one may look at a part of the tumour alone.
    """
    lesions = np.isin(labels, list(lesion_labels)).astype(np.uint8)
    lesions[np.isin(labels, list(ignored_labels))] = IGNORED
    return lesions


def lesions_of_released_mask(
    values: np.ndarray,
    *,
    lesion_labels: Collection[int],
    ignored_labels: Collection[int],
    name: str,
) -> np.ndarray:
    """Lesions of a mask of the authors' archive as in `mark_lesions`; `name` is for the log."""
    if whole_numbers(values).all():
        return mark_lesions(
            np.rint(values).astype(int), lesion_labels=lesion_labels, ignored_labels=ignored_labels
        )
    # ASSUME: the authors interpolated lesion masks linearly and took all above 0, which made the
    # lesions grow; a mask of fractions is taken as they took it.
    job.log(f"{name}: holds fractions, so all above 0 is lesion, as in the released code")
    return (values > 0).astype(np.uint8)
