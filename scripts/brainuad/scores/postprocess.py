"""From the scores of voxels to anomaly maps and segmentations, one volume at a time.

The scores are restricted to the eroded brain, smoothed by a median filter, thresholded, and freed
of small components (paper section on post-processing, and the released evaluation). Arrays are
[S, H, W]: axial slices first.
"""

import numpy as np
from scipy import ndimage

from brainuad.config.evaluation import PostprocessingSettings

# Rows gathered at a time by the median filter: 4096 windows of 125 values stay in the cache.
WINDOWS_AT_A_TIME = 4096


def eroded_mask(brain_masks: np.ndarray, iterations: int) -> np.ndarray:
    """Erode brain masks [..., H, W] slice by slice with a 2-D cross; outside counts as not brain.

    Zero iterations give the mask itself.
    """
    if iterations == 0:
        return brain_masks.astype(bool)
    cross = ndimage.generate_binary_structure(2, 1)
    cross = cross.reshape((1,) * (brain_masks.ndim - 2) + cross.shape)
    return ndimage.binary_erosion(brain_masks, structure=cross, iterations=iterations)


def median_filtered(
    volume: np.ndarray, size: int, *, within: np.ndarray | None = None
) -> np.ndarray:
    """Median over a cube of `size` voxels, equal to scipy.ndimage.median_filter bit for bit.

    volume [S, H, W] is >= 0; `within` (bool, same shape) restricts the result, which is 0
    elsewhere. Faster than scipy where much of the volume is 0: a window in which zeros are the
    majority has the median 0 and is not looked at. Raises ValueError for a negative voxel.
    """
    if volume.min() < 0:
        raise ValueError(f"the median filter expects values >= 0, found {volume.min()}")
    # ASSUME: the median filter mirrors the volume at its border, scipy's default as released.
    padded = np.pad(volume, size // 2, mode="symmetric")
    middle = size**3 // 2
    wanted = _window_sums(padded > 0, size) > middle
    if within is not None:
        wanted &= within
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size,) * volume.ndim)
    places = np.nonzero(wanted)
    filtered = np.zeros_like(volume)
    for start in range(0, len(places[0]), WINDOWS_AT_A_TIME):
        block = tuple(axis[start : start + WINDOWS_AT_A_TIME] for axis in places)
        values = windows[block].reshape(len(block[0]), -1)
        values.partition(middle, axis=1)
        filtered[block] = values[:, middle]
    return filtered


def _window_sums(mask: np.ndarray, size: int) -> np.ndarray:
    """How many voxels of a bool mask each cube of `size` voxels holds, for the cubes inside."""
    # The smallest type that holds them: adding bytes is many times faster than adding int64.
    sums = mask.astype(np.min_scalar_type(size**mask.ndim))
    for axis in range(mask.ndim):
        along = np.moveaxis(sums, axis, 0)
        inside = len(along) - size + 1
        total = along[:inside].copy()
        for shift in range(1, size):
            total += along[shift : shift + inside]
        sums = np.moveaxis(total, 0, axis)
    return sums


def anomaly_map(
    scores: np.ndarray, brain_mask: np.ndarray, settings: PostprocessingSettings
) -> np.ndarray:
    """The anomaly map of one volume, float32 [S, H, W], >= 0.

    scores are float32 [S, H, W], >= 0, as a `Score` gives them, brain_mask is bool [S, H, W].
    Released order: eroded mask, then median; paper: median, then eroded mask. Raises ValueError for
    scores that hold NaN or infinity.
    """
    if not np.isfinite(scores).all():
        raise ValueError("the anomaly scores hold NaN or infinity: did training diverge?")
    mask = eroded_mask(brain_mask, settings.erosion_iterations)
    for position, step in enumerate(settings.order):
        if step == "erosion":
            scores = np.where(mask, scores, np.float32(0))
        else:
            # What a later mask blanks need not be filtered.
            later = "erosion" in settings.order[position + 1 :]
            scores = median_filtered(scores, settings.median_size, within=mask if later else None)
    return scores


def segment(
    anomaly_map: np.ndarray, threshold: float, settings: PostprocessingSettings
) -> np.ndarray:
    """Voxels above the threshold, bool [S, H, W], without components that are too small.

    Voxels that share a face, an edge or a corner are one component (26-neighbourhood).
    Components of fewer than `minimum_component` voxels are removed.
    """
    # ASSUME: released code removes components of at most 7 voxels (minimum 8), paper below 7.
    above = anomaly_map > threshold
    if settings.minimum_component <= 1:
        return above
    labels, _ = ndimage.label(above, structure=np.ones((3,) * above.ndim))
    keep = np.bincount(labels.ravel()) >= settings.minimum_component
    keep[0] = False
    return keep[labels]
