"""Lesion-wise evaluation: the lesions that a segmentation detects, and its false components.

A lesion is a connected component of a lesion mask, a predicted component one of a segmentation; in
both, voxels that share a face, an edge or a corner are connected. Arrays are [S, H, W].
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.images.components import label_components
from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.scores.postprocess import segment

SENSITIVITY, FALSE_POSITIVES, F1 = "lesion_sensitivity", "false_positive_components", "lesion_f1"
LESION_COLUMNS = ("lesion", "volume_ml", "overlap", "maximum", "detected")
FROC_COLUMNS = ("factor", "threshold", "scans", "lesions", "detected", "false_positives")

# ASSUME: a predicted component is true if at least this share of it is on lesions, and a lesion is
# detected if true components cover at least this share of it. So one component may detect several
# lesions and several may detect one, since anomaly maps join and split lesions, but a component
# that covers the whole brain detects nothing. The paper has no lesion-wise measure; the challenge
# MSSEG also requires both overlaps (Commowick et al. 2018), challenges such as WMH a single voxel.
LEAST_OVERLAP = 0.1
# ASSUME: the thresholds of a FROC curve are the fitted one times these factors, from 1/2 to 4 in
# steps of 12 %: each method and fold has its own scale, so factors make their curves comparable.
# At lower thresholds components merge, and at higher ones nothing is left.
FACTORS = tuple(2.0 ** (step / 6) for step in range(-6, 13))


@dataclass(frozen=True)
class Lesions:
    """The lesions of one scan.

    numbers  unsigned [S, H, W]: 0 no lesion, the lesions from 1, the largest first
    voxels   int [L], their sizes
    ignored  bool [S, H, W], the voxels that are not scored
    """

    numbers: np.ndarray
    voxels: np.ndarray
    ignored: np.ndarray


@dataclass(frozen=True)
class Matches:
    """How a segmentation matches the lesions of one scan.

    covered          int [L], the number of predicted voxels of each lesion
    detected         bool [L]
    true_positives   the number of true predicted components
    false_positives  the number of false predicted components
    """

    covered: np.ndarray
    detected: np.ndarray
    true_positives: int
    false_positives: int


def lesions_of(mask: np.ndarray) -> Lesions:
    """The lesions of a mask uint8 {0 none, 1 lesion, 2 ignored}; none has ignored voxels."""
    numbers = label_components(mask == LESION)
    return Lesions(numbers, np.bincount(numbers.ravel())[1:], mask == IGNORED)


def match_lesions(prediction: np.ndarray, lesions: Lesions) -> Matches:
    """Match the components of a bool prediction with the lesions.

    Ignored voxels count neither for nor against a component. Raises ValueError if shapes differ.
    """
    if prediction.shape != lesions.numbers.shape:
        raise ValueError(f"shapes differ: {prediction.shape} and {lesions.numbers.shape}")
    components, count = ndimage.label(prediction, structure=np.ones((3,) * prediction.ndim))
    component, lesion = components[prediction], lesions.numbers[prediction]
    sizes, scored, on_lesions = (
        np.bincount(component[chosen], minlength=count + 1)
        for chosen in (slice(None), ~lesions.ignored[prediction], lesion > 0)
    )
    is_true = on_lesions / np.maximum(scored, 1) >= LEAST_OVERLAP
    # ASSUME: a predicted component that is mostly on ignored voxels is neither true nor false,
    # unless enough of it is on lesions: its rim need not be a finding of its own.
    is_false = ~is_true & (2 * scored > sizes)
    covered, found = (
        np.bincount(touched, minlength=len(lesions.voxels) + 1)[1:]
        for touched in (lesion, lesion[is_true[component]])
    )
    return Matches(
        covered=covered,
        detected=found / lesions.voxels >= LEAST_OVERLAP,
        true_positives=int(np.count_nonzero(is_true)),
        false_positives=int(np.count_nonzero(is_false)),
    )


def lesion_scores(matches: Matches) -> dict[str, float]:
    """The scores of one scan by their names.

    lesion_sensitivity         the share of the lesions that are detected; NaN if there is none
    false_positive_components  the number of false predicted components
    lesion_f1                  the harmonic mean of the sensitivity and the share of true ones among
                               the predicted components (Commowick et al. 2018), 0 if nothing is
                               predicted; NaN if there is no lesion
    """
    sensitivity = float(matches.detected.mean()) if len(matches.detected) else float("nan")
    predicted = matches.true_positives + matches.false_positives
    precision = matches.true_positives / predicted if predicted else 0.0
    total = sensitivity + precision
    return {
        SENSITIVITY: sensitivity,
        FALSE_POSITIVES: float(matches.false_positives),
        F1: 2 * sensitivity * precision / total if total else 0.0,
    }


def lesion_rows(
    lesions: Lesions, matches: Matches, anomaly_map: np.ndarray, voxel_ml: float
) -> list[tuple[int, float, float, float, int]]:
    """A row per lesion, the largest first, with LESION_COLUMNS.

    They are its number from 1, its volume in ml, the share of it that is predicted, the highest
    value of the anomaly map in it, and whether it is detected (1 or 0).
    """
    maxima = np.zeros(len(lesions.voxels) + 1, anomaly_map.dtype)
    inside = lesions.numbers > 0
    np.maximum.at(maxima, lesions.numbers[inside], anomaly_map[inside])
    return [
        (number, voxels * voxel_ml, covered / voxels, maximum, int(detected))
        for number, (voxels, covered, maximum, detected) in enumerate(
            zip(
                lesions.voxels.tolist(),
                matches.covered.tolist(),
                maxima[1:].tolist(),
                matches.detected.tolist(),
                strict=True,
            ),
            start=1,
        )
    ]


def froc_counts(
    lesions: Lesions,
    anomaly_map: np.ndarray,
    thresholds: Sequence[float],
    settings: PostprocessingSettings,
) -> np.ndarray:
    """Detected lesions and false components of one scan at thresholds [T]: int [T, 2]."""
    counts = np.zeros((len(thresholds), 2), int)
    for row, threshold in enumerate(thresholds):
        matches = match_lesions(segment(anomaly_map, threshold, settings), lesions)
        counts[row] = np.count_nonzero(matches.detected), matches.false_positives
    return counts
