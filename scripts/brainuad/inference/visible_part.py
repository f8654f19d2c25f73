"""How local the condition is: which part of a slice an encoder sees, and what that costs where.

Without PyTorch, for the figures too; `cut_condition` reconstructs.
"""

import numpy as np

from brainuad.io.errors import SettingsError
from brainuad.scores.postprocess import residual

# ASSUME: the width of a slice is its left-right axis, x of [z, x, y]; the paper names no axis.
WIDTH = -2


def seen_width(width: int, share: float) -> int:
    """How many pixels of a slice's width are seen; SettingsError unless 0 <= share <= 1."""
    if not 0 <= share <= 1:
        raise SettingsError(f"conditioning.shares: {share} is not between 0 and 1")
    return round(share * width)


def l1_by_region(
    image: np.ndarray, reconstruction: np.ndarray, brain_mask: np.ndarray, *, share: float
) -> dict[str, float]:
    """Mean |image - reconstruction| over the brain voxels seen at a share, and over the hidden.

    Arrays [..., H, W], the mask bool. NaN for a region without a brain voxel.
    """
    seen = seen_width(image.shape[WIDTH], share)
    error = residual(image, reconstruction)
    means = {}
    for region, part in (("seen", np.s_[..., :seen, :]), ("hidden", np.s_[..., seen:, :])):
        inside = error[part][brain_mask[part]]
        means[region] = float(inside.mean(dtype=np.float64)) if inside.size else float("nan")
    return means


def middle_slice(brain_mask: np.ndarray) -> int:
    """The number of the axial slice nearest the centre of mass of a brain, bool [S, H, W]."""
    return round(float(np.nonzero(brain_mask)[0].mean()))
