"""Smooth and scale a chunk of corrected scans, and bring them to the final grid."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

from brainuad.config.preprocessing import Normalization
from brainuad.config.settings import settings_from
from brainuad.images.geometry import crop_or_pad, downsample
from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.images.volumes import Volume, read_labels, read_volume, write_volume
from brainuad.io import job
from brainuad.preprocessing.chunks import process_chunk
from brainuad.preprocessing.intensity import to_unit_range
from brainuad.preprocessing.smoothing import curvature_flow


def main(*, scans: Path, output: Path, settings: dict[str, Any]) -> None:
    """Write image, brain mask and lesions of each scan: smoothed, cropped, scaled, downsampled.

    The transform is copied unchanged; a scan that came registered has none.
    """
    process_chunk(
        scans,
        output,
        stage="normalized",
        process=partial(normalize_scan, settings=settings_from(Normalization, settings)),
    )


def normalize_scan(source: Path, target: Path, *, settings: Normalization) -> None:
    """One scan in the released code's order: smooth at full resolution, crop, scale, downsample.

    As in the released code, nothing is clipped or masked after the scaling: splines overshoot at
    edges, so that intensities reach a little below 0 and above 1, and a little beyond the brain.
    """
    image = read_volume(source / "image.nii.gz")
    mask = read_labels(source / "brain_mask.nii.gz", expected=(1,), grid=image)
    lesions = read_labels(source / "lesions.nii.gz", expected=(LESION, IGNORED), grid=image)
    if settings.curvature_flow is not None:
        smooth = curvature_flow(image.data, settings.curvature_flow, spacing=image.spacing)
        image = Volume(smooth, image.affine)
    image, mask, lesions = (crop_or_pad(part, settings.size) for part in (image, mask, lesions))
    scaled = to_unit_range(image.data, mask.data, percentiles=settings.percentiles)
    image = downsample(Volume(scaled, image.affine), settings.downsampling, labels=False)
    mask, lesions = (
        downsample(part, settings.downsampling, labels=True) for part in (mask, lesions)
    )
    write_volume(image, target / "image.nii.gz")
    write_volume(mask, target / "brain_mask.nii.gz")
    write_volume(lesions, target / "lesions.nii.gz")
    if (source / "to_template.mat").exists():
        shutil.copyfile(source / "to_template.mat", target / "to_template.mat")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scans=Path(snakemake.input.scans),
            output=Path(snakemake.output[0]),
            settings=snakemake.params.settings,
        )
