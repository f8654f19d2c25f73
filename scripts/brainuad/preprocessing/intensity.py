"""Scale the intensities of a scan to a common range."""

from collections.abc import Sequence

import numpy as np

from brainuad.io.errors import ScanError


def to_unit_range(
    image: np.ndarray, brain_mask: np.ndarray, *, percentiles: Sequence[float]
) -> np.ndarray:
    """Map the low and high percentile of the brain to 0 and 1, and clip, as torchio does.

    image        [X, Y, Z] in any unit
    brain_mask   [X, Y, Z], above 0 in the brain: the percentiles are those of these voxels
    percentiles  (low, high) in percent, (1, 99) in the released code

    Returns float32 [X, Y, Z] in [0, 1]; voxels outside the brain are scaled and clipped too. Raises
    ScanError for an empty mask and for a brain without contrast.
    """
    inside = brain_mask > 0
    if not inside.any():
        raise ScanError("the brain mask is empty; check the scan and its registration")
    low, high = np.percentile(image[inside], percentiles)
    if not high > low:
        raise ScanError(f"the brain has no contrast (both percentiles are {low:g}); check the scan")
    return np.clip((image - low) / (high - low), 0.0, 1.0).astype(np.float32)
