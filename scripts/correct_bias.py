"""Correct the bias fields of a chunk of registered scans, and crop them to the brain."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

from brainuad.config.preprocessing import BiasCorrection
from brainuad.config.settings import settings_from
from brainuad.images.geometry import bounding_box, crop
from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.images.volumes import read_labels, read_volume, write_volume
from brainuad.io import job
from brainuad.preprocessing.bias import correct_bias_field
from brainuad.preprocessing.chunks import process_chunk


def main(
    *,
    scans: Path,
    output: Path,
    settings: dict[str, Any],
    weighted: bool,
    keep_last_slice: bool,
) -> None:
    """Write image, brain mask and lesions in the brain's bounding box, and the unchanged transform.

    weighted          fit the bias field to the brain; if false, to the whole box
    keep_last_slice   if false, the box lacks the last slice of each axis, as in the released code
    """
    process_chunk(
        scans,
        output,
        stage="corrected",
        process=partial(
            correct_scan,
            settings=settings_from(BiasCorrection, settings),
            weighted=weighted,
            keep_last_slice=keep_last_slice,
        ),
    )


def correct_scan(
    source: Path, target: Path, *, settings: BiasCorrection, weighted: bool, keep_last_slice: bool
) -> None:
    """Correct and crop one scan; the affine is that of the cropped box."""
    image = read_volume(source / "image.nii.gz")
    mask = read_labels(source / "brain_mask.nii.gz", expected=(1,), grid=image)
    lesions = read_labels(source / "lesions.nii.gz", expected=(LESION, IGNORED), grid=image)
    box = bounding_box(mask.data, keep_last_slice=keep_last_slice)
    image, mask, lesions = (crop(part, box) for part in (image, mask, lesions))
    corrected = correct_bias_field(image, mask.data, settings, weighted=weighted)
    write_volume(corrected, target / "image.nii.gz")
    write_volume(mask, target / "brain_mask.nii.gz")
    write_volume(lesions, target / "lesions.nii.gz")
    shutil.copyfile(source / "to_template.mat", target / "to_template.mat")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scans=Path(snakemake.input.scans),
            output=Path(snakemake.output[0]),
            settings=snakemake.params.settings,
            weighted=snakemake.params.weighted,
            keep_last_slice=snakemake.params.keep_last_slice,
        )
