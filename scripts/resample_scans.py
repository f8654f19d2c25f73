"""A chunk of raw scans and lesion masks, in RAS orientation and on cubic voxels."""

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from brainuad.datasets.layouts import labels_of, source_named
from brainuad.images.geometry import background_of, labels_on, resample, to_ras
from brainuad.images.volumes import Volume, read_labels, read_volume, write_volume
from brainuad.io import job
from brainuad.preprocessing.chunks import process_subjects
from brainuad.preprocessing.raw_scans import Row, mark_lesions, rows_of_chunk

ANY = range(2**16)  # any label there may be


def main(
    *,
    table: Path,
    output: Path,
    subjects: list[str],
    modality: str,
    spacing: float,
    lesion_labels: Collection[int],
    ignored_labels: Collection[int],
    lesions_on_own_grid: bool,
) -> None:
    """Write image and lesions of each subject of the chunk, lesions 0 none, 1 lesion, 2 ignored.

    lesions_on_own_grid   the mask lies on another grid than the scan, which it is brought to
    """
    process_subjects(
        subjects,
        output,
        stage="resampled",
        process=partial(
            resample_scan,
            rows=rows_of_chunk(table, subjects, modality=modality),
            modality=modality,
            spacing=spacing,
            lesion_labels=lesion_labels,
            ignored_labels=ignored_labels,
            lesions_on_own_grid=lesions_on_own_grid,
        ),
    )


def resample_scan(
    subject: str,
    folder: Path,
    *,
    rows: Mapping[str, Row],
    modality: str,
    spacing: float,
    lesion_labels: Collection[int],
    ignored_labels: Collection[int],
    lesions_on_own_grid: bool,
) -> None:
    """One scan with its lesion mask; without a mask the lesions are all 0."""
    raw = read_volume(Path(rows[subject][modality]))
    upright = to_ras(raw)
    image = resample(upright, spacing, labels=False)
    # ASSUME: the background, the value of most of the border or else 0, stays exactly what it is.
    # B-splines ring around a brain that comes stripped, and its mask is all above the background.
    background = background_of(upright.data)
    blank = resample(Volume(upright.data == background, upright.affine), spacing, labels=True).data
    image = Volume(np.where(blank, background, image.data), image.affine)
    write_volume(image, folder / "image.nii.gz")
    seg = rows[subject]["seg"]
    if not seg:
        lesions = np.zeros(image.data.shape, dtype=np.uint8)
    else:
        # The labels were checked when the subjects were listed.
        labels = read_labels(Path(seg), expected=ANY, grid=None if lesions_on_own_grid else raw)
        marked = mark_lesions(
            labels.data, lesion_labels=lesion_labels, ignored_labels=ignored_labels
        )
        if lesions_on_own_grid:
            on_scan = labels_on(Volume(marked, labels.affine), raw, name=seg)
        else:
            # A mask takes the scan's own affine: their headers may differ by rounding.
            on_scan = Volume(marked, raw.affine)
        lesions = resample(to_ras(on_scan), spacing, labels=True).data
    write_volume(Volume(lesions, image.affine), folder / "lesions.nii.gz")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        params = snakemake.params
        source = source_named(params.layout)
        labels = labels_of(source, params.lesion_labels, params.ignored_labels)
        main(
            table=Path(snakemake.input.subjects),
            output=Path(snakemake.output[0]),
            subjects=params.subjects,
            modality=params.modality,
            spacing=params.spacing,
            lesion_labels=labels.lesion,
            ignored_labels=labels.ignored,
            lesions_on_own_grid=source.LESIONS_ON_OWN_GRID,
        )
