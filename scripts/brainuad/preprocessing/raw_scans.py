"""What both entrances of the chain share: the scans of a batch, and lesions out of labels."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from brainuad.images.mask_labels import IGNORED
from brainuad.images.volumes import whole_numbers
from brainuad.io import job, tables
from brainuad.io.errors import SettingsError


def scans_of_batch(subjects: Path, batch: Sequence[str], *, modality: str) -> pd.DataFrame:
    """The rows of the subject table by subject; SettingsError for one without this modality."""
    table = tables.read_table(subjects).set_index("subject")
    for subject in batch:
        if subject not in table.index or pd.isna(table.loc[subject, modality]):
            raise SettingsError(
                f"{subjects}: has no {modality} scan of {subject}; list the subjects again"
            )
    return table


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
