"""What raw and preprocessed scans have in common: the rows of a chunk, and lesions from labels."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from brainuad.images.mask_labels import IGNORED
from brainuad.images.volumes import whole_numbers
from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.io.rows import read_rows
from brainuad.io.scan_names import name_of_row

# The cells of a row of the subject table by column; an empty cell is "".
Row = Mapping[str, str]


def rows_by_name(path: Path) -> dict[str, Row]:
    """The rows of a subject table by the names of scans, see `scan_name`."""
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
    """Merge labels to 0 no lesion, 1 lesion, 2 ignored, uint8.

    Labels in neither list count as no lesion, so that one can study only a part of the tumour.
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
    """Lesions in a mask of the authors' archive, as in `mark_lesions`; `name` is for the log."""
    if whole_numbers(values).all():
        return mark_lesions(
            np.rint(values).astype(int), lesion_labels=lesion_labels, ignored_labels=ignored_labels
        )
    # ASSUME: the authors interpolated lesion masks linearly and counted all values above 0, which
    # made the lesions grow; a mask of fractions is treated in the same way.
    job.log(f"{name}: holds fractions, so all above 0 is lesion, as in the released code")
    return (values > 0).astype(np.uint8)
