"""Skull stripping, whatever finds the brain: the scan is cut to the mask, the lesions go along."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from brainuad.labels import IGNORED, LESION
from brainuad.volumes import Volume, read_labels, read_volume, write_volume


def strip_scan(source: Path, target: Path, *, mask_of: Callable[[Volume], np.ndarray]) -> None:
    """Write image, brain mask and lesions of one scan; outside the mask the image is 0.

    mask_of: from a scan to its brain mask, uint8 [X, Y, Z] of the same shape. All three files have
    the affine of the image in `source`. Lesions outside the mask stay: the quality page shows them.
    """
    scan = read_volume(source / "image.nii.gz")
    lesions = read_labels(source / "lesions.nii.gz", expected=(LESION, IGNORED), grid=scan)
    mask = mask_of(scan)
    stripped = np.where(mask > 0, scan.data, 0).astype(np.float32)
    write_volume(Volume(stripped, scan.affine), target / "image.nii.gz")
    write_volume(Volume(mask, scan.affine), target / "brain_mask.nii.gz")
    write_volume(lesions, target / "lesions.nii.gz")
