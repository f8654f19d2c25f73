"""Skull stripping with a brain mask from any method."""

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.images.volumes import Volume, read_labels, read_volume, write_volume
from brainuad.io.errors import ScanError

# ASSUME: the brain mask of an adult, which includes fluid, is within this range, unless brain was
# cut off or skull was left. Subjects with a known age below 18 are not checked.
ADULT_BRAIN = (600.0, 2500.0)  # ml


def strip_scan(
    source: Path,
    target: Path,
    *,
    mask_of: Callable[[Volume], np.ndarray],
    children: Collection[str] = (),
) -> None:
    """Write image, brain mask and lesions of one scan; outside the mask the image is 0.

    mask_of   a function from a scan to its brain mask, uint8 [X, Y, Z] of the same shape
    children  names of scans whose brain volume is not checked

    All three files have the affine of the image in `source`. Lesions outside the mask are kept: the
    quality page shows them. Raises ScanError if the volume of the mask is not that of an adult's
    brain, unless `children` contains the name of the folder `source`.
    """
    scan = read_volume(source / "image.nii.gz")
    lesions = read_labels(source / "lesions.nii.gz", expected=(LESION, IGNORED), grid=scan)
    mask = mask_of(scan)
    if source.name not in children:
        check_brain_volume(Volume(mask, scan.affine))
    stripped = np.where(mask > 0, scan.data, 0).astype(np.float32)
    write_volume(Volume(stripped, scan.affine), target / "image.nii.gz")
    write_volume(Volume(mask, scan.affine), target / "brain_mask.nii.gz")
    write_volume(lesions, target / "lesions.nii.gz")


def check_brain_volume(mask: Volume) -> None:
    """Raise ScanError if the volume of a brain mask is not that of an adult's brain."""
    millilitres = np.count_nonzero(mask.data) * np.prod(mask.spacing) / 1000
    smallest, largest = ADULT_BRAIN
    if not smallest <= millilitres <= largest:
        raise ScanError(
            f"the brain mask of {millilitres:.0f} ml is outside {smallest:g} to {largest:g} ml, "
            "the range of adults; check the scan and skull_stripping, or give a child's age in "
            "demographics"
        )
