"""Convert a chunk of the authors' preprocessed scans to the files that correct_bias writes."""

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from brainuad.datasets.layouts import labels_of, preprocessed
from brainuad.images.geometry import to_ras
from brainuad.images.volumes import (
    Volume,
    check_same_axes,
    read_mask,
    read_volume,
    write_volume,
)
from brainuad.io import job
from brainuad.io.errors import ScanError
from brainuad.preprocessing.chunks import process_scans
from brainuad.preprocessing.raw_scans import Row, lesions_of_released_mask, rows_of_chunk

SPACING_TOLERANCE = 0.01  # fraction of a voxel's edge


def main(
    *,
    table: Path,
    output: Path,
    names: list[str],
    modality: str,
    spacing: float,
    lesion_labels: Collection[int],
    ignored_labels: Collection[int],
) -> None:
    """Write image, brain mask and lesions of each scan, lesions 0 none, 1 lesion, 2 ignored."""
    process_scans(
        names,
        output,
        stage="corrected",
        process=partial(
            take_scan,
            rows=rows_of_chunk(table, names, modality=modality),
            modality=modality,
            spacing=spacing,
            lesion_labels=lesion_labels,
            ignored_labels=ignored_labels,
        ),
    )


def take_scan(
    name: str,
    folder: Path,
    *,
    rows: Mapping[str, Row],
    modality: str,
    spacing: float,
    lesion_labels: Collection[int],
    ignored_labels: Collection[int],
) -> None:
    """One scan in RAS; without a lesion mask the lesions are all 0."""
    row = rows[name]
    image = read_volume(Path(row[modality]))
    if (abs(image.spacing / spacing - 1) > SPACING_TOLERANCE).any():
        shown = " x ".join(f"{edge:.4g}" for edge in image.spacing)
        raise ScanError(
            f"{row[modality]}: the voxels of {shown} mm are not those of the final grid, "
            f"{spacing:g} mm; set preprocessing.spacing to the archive's, or use the raw scans"
        )
    brain_mask = (_values_on(image, Path(row["brain_mask"])) > 0).astype(np.uint8)
    if not brain_mask.any():
        raise ScanError(f"{row['brain_mask']}: the brain mask is empty; replace the file")
    if not row["seg"]:
        lesions = np.zeros_like(brain_mask)
    else:
        lesions = lesions_of_released_mask(
            _values_on(image, Path(row["seg"])),
            lesion_labels=lesion_labels,
            ignored_labels=ignored_labels,
            name=row["seg"],
        )
    for name, data in (("image", image.data), ("brain_mask", brain_mask), ("lesions", lesions)):
        write_volume(to_ras(Volume(data, image.affine)), folder / f"{name}.nii.gz")


def _values_on(image: Volume, path: Path) -> np.ndarray:
    mask = read_mask(path)
    # ASSUME: the authors' files may have affines from before they were cropped to the brain, so
    # masks need only the image's shape and directions, and take its affine.
    check_same_axes(mask, image, name=str(path))
    if not np.isfinite(mask.data).all():
        raise ScanError(f"{path}: holds NaN or infinite values; replace the mask")
    return mask.data


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        params = snakemake.params
        labels = labels_of(preprocessed.LAYOUT, params.lesion_labels, params.ignored_labels)
        main(
            table=Path(snakemake.input.subjects),
            output=Path(snakemake.output[0]),
            names=params.names,
            modality=params.modality,
            spacing=params.spacing,
            lesion_labels=labels.lesion,
            ignored_labels=labels.ignored,
        )
