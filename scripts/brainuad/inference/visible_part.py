"""The visible part of a slice, and the reconstruction error in the visible and hidden parts.

This module does not import PyTorch, since figures use it too; `partial_conditioning` reconstructs.
"""

import numpy as np

from brainuad.io.errors import SettingsError

# ASSUME: the width of a slice is its left-right axis, x of [z, x, y]; the paper names no axis.
WIDTH = -2


def seen_width(width: int, visible_fraction: float) -> int:
    """The visible pixels of a slice's width; SettingsError for a fraction outside 0 to 1."""
    if not 0 <= visible_fraction <= 1:
        raise SettingsError(
            f"conditioning.visible_fractions: {visible_fraction} is not between 0 and 1"
        )
    return round(visible_fraction * width)


def l1_by_region(
    image: np.ndarray,
    reconstruction: np.ndarray,
    brain_mask: np.ndarray,
    *,
    visible_fraction: float,
) -> dict[str, float]:
    """Mean |image - reconstruction| over the visible brain voxels, and over the hidden ones.

    Arrays [..., H, W], the mask bool. NaN for a region without a brain voxel.
    """
    seen = seen_width(image.shape[WIDTH], visible_fraction)
    error = np.abs(image - reconstruction)
    means = {}
    for region, part in (("seen", np.s_[..., :seen, :]), ("hidden", np.s_[..., seen:, :])):
        inside = error[part][brain_mask[part]]
        means[region] = float(inside.mean(dtype=np.float64)) if inside.size else float("nan")
    return means


def middle_slice(brain_mask: np.ndarray) -> int:
    """The number of the axial slice nearest to the centre of mass of a brain, bool [S, H, W]."""
    return round(float(np.nonzero(brain_mask)[0].mean()))
