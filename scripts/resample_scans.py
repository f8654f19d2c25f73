"""A batch of raw scans and lesion masks, in RAS orientation and on cubic voxels."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from brainuad import job, tables
from brainuad.batches import process_subjects
from brainuad.errors import SettingsError
from brainuad.geometry import resample, to_ras
from brainuad.volumes import Volume, read_labels, read_volume, write_volume


def main(
    *,
    subjects: Path,
    output: Path,
    batch: list[str],
    modality: str,
    spacing: float,
    lesion_labels: list[int],
    ignored_labels: list[int],
) -> None:
    """Write image and lesions of each subject of the batch, lesions 0 none, 1 lesion, 2 ignored."""
    table = tables.read_table(subjects).set_index("subject")
    if unknown := [subject for subject in batch if subject not in table.index]:
        raise SettingsError(f"{subjects}: has no subject {unknown[0]}; list the subjects again")
    process_subjects(
        batch,
        output,
        stage="resampled",
        process=partial(
            resample_scan,
            table=table,
            modality=modality,
            spacing=spacing,
            lesion_labels=lesion_labels,
            ignored_labels=ignored_labels,
        ),
    )


def resample_scan(
    subject: str,
    folder: Path,
    *,
    table: pd.DataFrame,
    modality: str,
    spacing: float,
    lesion_labels: list[int],
    ignored_labels: list[int],
) -> None:
    """One scan with its lesion mask; without a mask the lesions are all 0."""
    raw = read_volume(Path(table.loc[subject, modality]))
    upright = to_ras(raw)
    image = resample(upright, spacing, labels=False)
    # ASSUME: what is exactly 0 stays 0. B-splines ring around a brain that comes stripped, and its
    # mask is all that is above 0.
    blank = resample(Volume(upright.data == 0, upright.affine), spacing, labels=True).data
    image = Volume(np.where(blank, 0, image.data), image.affine)
    write_volume(image, folder / "image.nii.gz")
    seg = table.loc[subject, "seg"]
    if pd.isna(seg):
        lesions = np.zeros(image.data.shape, dtype=np.uint8)
    else:
        # A label in neither list is no lesion: one may look at a part of the tumour alone.
        labels = read_labels(Path(seg), expected=range(256), grid=raw)
        # A mask takes the scan's own affine: their headers may differ by rounding.
        found = resample(to_ras(Volume(labels.data, raw.affine)), spacing, labels=True).data
        lesions = np.where(np.isin(found, ignored_labels), 2, np.isin(found, lesion_labels))
    write_volume(Volume(lesions.astype(np.uint8), image.affine), folder / "lesions.nii.gz")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            subjects=Path(snakemake.input.subjects),
            output=Path(snakemake.output[0]),
            modality=snakemake.wildcards.modality,
            **snakemake.params,
        )
