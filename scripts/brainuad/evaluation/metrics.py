"""Metrics of segmentations, anomaly maps and reconstructions.

Lesions are uint8: 0 none, 1 lesion, 2 ignored. Ignored voxels are not scored: every function here
drops them. A metric that is not defined is NaN, as each docstring says.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.images.similarity import local_similarity

# Gaussian window of SSIM in voxels: edge (odd) and standard deviation.
SSIM_WINDOW = 11
SSIM_SIGMA = 1.5


@dataclass(frozen=True)
class Confusion:
    """Voxel counts of a segmentation against the lesions."""

    true_positives: int
    false_positives: int
    false_negatives: int


SCAN_SCORE = "mean_residual"
PREDICTED_VOLUME = "predicted_volume_ml"


def confusion(prediction: np.ndarray, lesions: np.ndarray) -> Confusion:
    """Count hits, false alarms and misses of a bool prediction; same shapes, else ValueError."""
    _check_shapes(prediction, lesions)
    lesion = lesions == LESION
    hits = int(np.count_nonzero(prediction & lesion))
    return Confusion(
        true_positives=hits,
        false_positives=int(np.count_nonzero(prediction & (lesions != IGNORED))) - hits,
        false_negatives=int(np.count_nonzero(lesion)) - hits,
    )


def dice(prediction: np.ndarray, lesions: np.ndarray) -> float:
    """2 TP / (2 TP + FP + FN), without a smoothing term; NaN if there is no lesion."""
    # ASSUME: Dice without a lesion voxel is undefined, whatever is predicted, like recall.
    counts = confusion(prediction, lesions)
    if counts.true_positives + counts.false_negatives == 0:
        return float("nan")
    hits = 2 * counts.true_positives
    return _ratio(hits, hits + counts.false_positives + counts.false_negatives)


def precision(prediction: np.ndarray, lesions: np.ndarray) -> float:
    """TP / (TP + FP); NaN if nothing is predicted."""
    counts = confusion(prediction, lesions)
    return _ratio(counts.true_positives, counts.true_positives + counts.false_positives)


def recall(prediction: np.ndarray, lesions: np.ndarray) -> float:
    """TP / (TP + FN); NaN if there is no lesion."""
    counts = confusion(prediction, lesions)
    return _ratio(counts.true_positives, counts.true_positives + counts.false_negatives)


@dataclass(frozen=True)
class ScoredVoxels:
    """The scores of one or more volumes, without the zeros, which are only counted.

    lesion         scores > 0 of lesion voxels [any]
    healthy        scores > 0 of healthy voxels [any]
    lesion_voxels  the number of lesion voxels, including those with score 0
    voxels         the number of lesion and healthy voxels, including those with score 0
    """

    lesion: np.ndarray
    healthy: np.ndarray
    lesion_voxels: int
    voxels: int


def scored_voxels(scores: np.ndarray, lesions: np.ndarray) -> ScoredVoxels:
    """Separate a score map >= 0 by its lesions; same shapes.

    Most voxels are outside the eroded brain and have score 0. Without them, sorting is fast and the
    pool of a whole data set is small. Raises ValueError for a negative score or NaN.
    """
    _check_shapes(scores, lesions)
    if not scores.min(initial=0) >= 0:
        raise ValueError(f"scores must be >= 0, found {scores.min()}")
    positive = scores > 0
    return ScoredVoxels(
        lesion=scores[positive & (lesions == LESION)],
        healthy=scores[positive & (lesions != LESION) & (lesions != IGNORED)],
        lesion_voxels=int(np.count_nonzero(lesions == LESION)),
        voxels=int(np.count_nonzero(lesions != IGNORED)),
    )


def pooled(parts: Iterable[ScoredVoxels]) -> ScoredVoxels:
    """The voxels of several volumes as one set; at least one part, all of the same dtype.

    Parts of a generator are freed one by one, so that only the pool is in memory.
    """
    parts = iter(parts)
    first = next(parts)
    lesion, healthy = first.lesion.copy(), first.healthy.copy()
    lesion_voxels, voxels = first.lesion_voxels, first.voxels
    for part in parts:
        _append(lesion, part.lesion)
        _append(healthy, part.healthy)
        lesion_voxels += part.lesion_voxels
        voxels += part.voxels
    return ScoredVoxels(lesion, healthy, lesion_voxels, voxels)


def _append(scores: np.ndarray, more: np.ndarray) -> None:
    """Append to a 1-D array in place: concatenating would need the memory of both again."""
    length = len(scores)
    scores.resize(length + len(more), refcheck=False)
    scores[length:] = more


def detections(voxels: ScoredVoxels) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True and false positives of "score >= cut" for each score of a lesion voxel.

    Returns cuts (decreasing, distinct, > 0), true positives and false positives, all [C]; tied
    scores share a cut. Scores of healthy voxels are no cuts: the true positives do not change
    between two scores of lesion voxels, so the precision-recall curve is complete in recall.
    """
    cuts, repeats = np.unique(voxels.lesion, return_counts=True)
    healthy = np.sort(voxels.healthy)
    true_positives = np.cumsum(repeats[::-1])
    false_positives = len(healthy) - np.searchsorted(healthy, cuts, side="left")[::-1]
    return cuts[::-1], true_positives, false_positives


def average_precision(scores: np.ndarray, lesions: np.ndarray) -> float:
    """Area under the precision-recall curve, sum of (R_n - R_n-1) P_n over all voxels.

    scores [any shape] are >= 0. It is exact, and tied scores are one point, as in scikit-learn's
    `average_precision_score`. NaN if there is no lesion.
    """
    voxels = scored_voxels(scores, lesions)
    if voxels.lesion_voxels == 0:
        return float("nan")
    _, true_positives, false_positives = detections(voxels)
    precisions = true_positives / (true_positives + false_positives)
    hits = np.diff(true_positives, prepend=0)
    missed = voxels.lesion_voxels - len(voxels.lesion)
    # The voxels of score 0 are the last tie: with them, all voxels are detected.
    last = missed * voxels.lesion_voxels / voxels.voxels
    return float((np.sum(hits * precisions) + last) / voxels.lesion_voxels)


def l1(image: np.ndarray, reconstruction: np.ndarray) -> float:
    """Mean absolute difference over the whole array, including the background."""
    _check_shapes(image, reconstruction)
    return float(np.abs(image - reconstruction).mean(dtype=np.float64))


def psnr(image: np.ndarray, reconstruction: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB over the whole array, peak 1; infinite for equal arrays."""
    _check_shapes(image, reconstruction)
    error = np.mean(np.square(image - reconstruction, dtype=np.float64))
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def ssim(image: np.ndarray, reconstruction: np.ndarray) -> float:
    """Structural similarity of two volumes [S, H, W], mean over all windows inside.

    Gaussian window of 11 voxels along each axis, sigma 1.5, k1 = .01, k2 = .03, range 1, as in
    MONAI's SSIMMetric. Raises ValueError for an axis shorter than the window.
    """
    # ASSUME: SSIM, PSNR and l1 are computed over the whole volume, including the background.
    _check_shapes(image, reconstruction)
    if min(image.shape) < SSIM_WINDOW:
        raise ValueError(
            f"SSIM needs {SSIM_WINDOW} voxels along each axis, got shape {image.shape}"
        )
    radius = SSIM_WINDOW // 2
    weights = np.exp(-((np.arange(-radius, radius + 1) / SSIM_SIGMA) ** 2) / 2)
    weights /= weights.sum()
    inside = slice(radius, -radius)

    def blurred(volume: np.ndarray) -> np.ndarray:
        for axis in range(volume.ndim):
            volume = ndimage.correlate1d(volume, weights, axis=axis)
        return volume[(inside,) * volume.ndim]

    x, y = image.astype(np.float64), reconstruction.astype(np.float64)
    return float(np.mean(local_similarity(x, y, blurred, value_range=1)))


def l1_ratio(residual: np.ndarray, lesions: np.ndarray, brain_mask: np.ndarray) -> float:
    """Mean residual of the lesion voxels over that of the healthy voxels, both in the brain.

    It is larger if lesions stand out more. All [S, H, W]; brain_mask is bool. NaN if there is no
    lesion or no healthy voxel in the brain, or if the healthy voxels have no residual.
    """
    # ASSUME: the l1 ratio uses the residual before post-processing, inside the whole brain mask.
    # The released code uses all voxels, see l1_ratio_released; the paper does not say.
    _check_shapes(residual, lesions)
    _check_shapes(residual, brain_mask)
    brain = brain_mask.astype(bool)
    return _ratio_of_means(
        residual[brain & (lesions == LESION)],
        residual[brain & (lesions != LESION) & (lesions != IGNORED)],
    )


def l1_ratio_released(residual: np.ndarray, lesions: np.ndarray) -> float:
    """Mean residual of the lesion voxels over that of all others, inside the brain or outside.

    In the released code, the background, which has almost no residual, counts as healthy, so that
    this is about twice `l1_ratio`. Both [S, H, W]. NaN as in `l1_ratio`.
    """
    _check_shapes(residual, lesions)
    return _ratio_of_means(
        residual[lesions == LESION], residual[(lesions != LESION) & (lesions != IGNORED)]
    )


def _ratio_of_means(lesion: np.ndarray, healthy: np.ndarray) -> float:
    if lesion.size == 0 or healthy.size == 0:
        return float("nan")
    return _ratio(lesion.mean(dtype=np.float64), healthy.mean(dtype=np.float64))


def volume_ml(mask: np.ndarray, voxel_ml: float) -> float:
    """The volume of a bool mask in ml, from the volume of a voxel."""
    return float(np.count_nonzero(mask) * voxel_ml)


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator else float("nan")


def _check_shapes(first: np.ndarray, second: np.ndarray) -> None:
    if first.shape != second.shape:
        raise ValueError(f"shapes differ: {first.shape} and {second.shape}")


def mean_residual(residual: np.ndarray, brain_mask: np.ndarray) -> float:
    """The score of a whole scan: the mean of its residual in the brain; both [S, H, W].

    NaN for an empty brain mask.
    """
    # ASSUME: a scan's score is the mean residual before post-processing, inside the whole brain
    # mask (as for the l1 ratio), so that neither the size of the head nor a threshold matters.
    inside = residual[brain_mask.astype(bool)]
    return float(inside.mean(dtype=np.float64)) if inside.size else float("nan")
