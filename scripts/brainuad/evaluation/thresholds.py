"""The threshold of an anomaly map, fitted on validation subjects, and the best one on test.

`best_threshold(volumes)` returns `Threshold(value, dice)`; a voxel is anomalous if its score is
greater than `value`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.evaluation.metrics import (
    PREDICTED_VOLUME,
    detections,
    dice,
    pooled,
    scored_voxels,
    volume_ml,
)
from brainuad.images.mask_labels import IGNORED
from brainuad.io.errors import SettingsError
from brainuad.scores.postprocess import segment

# ASSUME: a threshold from fewer patients with a lesion, or fewer lesion voxels on the final grid (8
# ml at 2 mm), is marked in the report: a single lesion may change it a lot.
FEWEST_PATIENTS = 5
FEWEST_LESION_VOXELS = 1000
# ASSUME: a threshold that needs no lesion is the one that such a share of the brain voxels of
# healthy validation subjects exceeds; the rim that erosion sets to 0 counts too. The first is used
# if there is no lesion mask to fit one on.
HEALTHY_SHARES = (0.01, 0.02, 0.05)
HEALTHY_SHARE = HEALTHY_SHARES[0]
# Values of the column fitted_on for a threshold that was chosen on the test subjects themselves,
# and for the thresholds from shares of healthy voxels.
ON_TEST = "test"
ON_HEALTHY = {f"healthy_{share:g}": share for share in HEALTHY_SHARES}
# ASSUME: the best threshold on test is the best of 30,001 candidates, evenly spaced in the
# logarithm and less than 0.1 % apart. So one volume at a time is in memory, while an exact search
# needs every score of a whole test set. All residuals are below 10, and all z-scores below 10,000.
CANDIDATES = np.geomspace(1e-5, 1e4, 30001, dtype=np.float32)


@dataclass(frozen=True)
class Threshold:
    """A threshold on anomaly scores and the Dice it reaches on the voxels it was fitted on."""

    value: float
    dice: float


def best_threshold(volumes: Iterable[tuple[np.ndarray, np.ndarray]]) -> Threshold:
    """The threshold with the best Dice over the pooled voxels of all volumes, by exact search.

    volumes are pairs of an anomaly map >= 0 and lesions uint8 {0, 1, 2} of its shape; label 2 is
    left out. They are read once and one at a time, so a generator needs little memory: only the
    scores above 0 of each volume are kept. If several thresholds have the same Dice, the highest is
    taken. If no lesion voxel scores above 0, the threshold predicts nothing and the Dice is 0.

    Raises SettingsError if there is no volume or no lesion voxel at all.
    """
    # ASSUME: the threshold is fitted before small components are removed, as released.
    parts = (scored_voxels(anomaly_map, lesions) for anomaly_map, lesions in volumes)
    first = next(parts, None)
    if first is None:
        raise SettingsError(
            "no threshold can be fitted: all validation subjects were left out in preprocessing; "
            "results/slices/*_left_out.tsv says why"
        )
    voxels = pooled(chain([first], parts))
    if voxels.lesion_voxels == 0:
        raise SettingsError(
            "no threshold can be fitted: the validation subjects have no lesion voxel on the "
            "final grid; raise the number of validation subjects of this data set"
        )
    cuts, true_positives, false_positives = detections(voxels)
    if len(cuts) == 0:
        return Threshold(value=float(voxels.healthy.max(initial=0)), dice=0.0)
    # The best cut is the score of a lesion voxel: any other cut only adds false positives.
    dices = 2 * true_positives / (true_positives + false_positives + voxels.lesion_voxels)
    best = int(np.argmax(dices))
    return Threshold(
        value=_value_below(cuts[best], voxels.lesion, voxels.healthy), dice=float(dices[best])
    )


def best_threshold_on_test(volumes: Iterable[tuple[np.ndarray, np.ndarray]]) -> Threshold:
    """The threshold with the best Dice that could be chosen if the test lesions were known.

    volumes are pairs of an anomaly map >= 0 and lesions uint8 {0, 1, 2} of its shape, read once and
    one at a time. Dice is the mean over the volumes with lesions, as in the tables, but with small
    components; if several CANDIDATES have the same Dice, the highest is taken. If no lesion voxel
    scores above them, the threshold is infinite and the Dice 0; without any lesion the Dice is NaN.
    """
    # ASSUME: the best threshold is searched before small components are removed, like the fitted
    # one. It is then used in the same way, so that the best Dice in the table may be slightly below
    # the fitted one by chance.
    total, count = np.zeros(len(CANDIDATES)), 0
    for anomaly_map, lesions in volumes:
        voxels = scored_voxels(anomaly_map, lesions)
        if voxels.lesion_voxels == 0:
            continue
        hits, alarms = _count_from(voxels.lesion), _count_from(voxels.healthy)
        total += 2 * hits / (hits + alarms + voxels.lesion_voxels)
        count += 1
    if not total.any():
        return Threshold(value=float("inf"), dice=0.0 if count else float("nan"))
    best = len(total) - 1 - int(np.argmax(total[::-1]))
    # "score > value" must select the same voxels as "score >= candidate".
    value = np.nextafter(CANDIDATES[best], np.float32(0))
    return Threshold(value=float(value), dice=float(total[best] / count))


def scores_at(
    anomaly_map: np.ndarray,
    lesions: np.ndarray,
    voxel_ml: float,
    *,
    thresholds: Mapping[str, float],
    settings: PostprocessingSettings,
) -> list[tuple[str, str, float]]:
    """One scan at each threshold: rows of fitted_on, metric (dice, predicted_volume_ml), value.

    anomaly_map and lesions are [S, H, W], voxel_ml is the volume of a voxel; thresholds are by the
    data set they were fitted on. The Dice of a healthy scan is NaN, and its predicted volume is a
    false positive.
    """
    rows = []
    for fitted_on, threshold in thresholds.items():
        prediction = segment(anomaly_map, threshold, settings)
        scored = prediction & (lesions != IGNORED)
        rows.append((fitted_on, "dice", dice(prediction, lesions)))
        rows.append((fitted_on, PREDICTED_VOLUME, volume_ml(scored, voxel_ml)))
    return rows


def healthy_label(fitted_on: str) -> str:
    """The label of a threshold of ON_HEALTHY: 1 % of healthy voxels."""
    return f"{ON_HEALTHY[fitted_on]:.0%} of healthy voxels".replace("%", " %")


def rests_on_little(patients: int, lesion_voxels: int) -> bool:
    """Whether a fitted threshold rests on too little data to be trusted."""
    return patients < FEWEST_PATIENTS or lesion_voxels < FEWEST_LESION_VOXELS


@dataclass(frozen=True)
class HealthyScores:
    """The anomaly scores of healthy brains.

    scores  those above 0 [any], sorted
    voxels  the number of brain voxels, including those with score 0
    """

    scores: np.ndarray
    voxels: int

    def share_above(self, threshold: float) -> float:
        """The share of the brain voxels that score above a threshold >= 0."""
        above = len(self.scores) - np.searchsorted(self.scores, threshold, side="right")
        return float(above / self.voxels)

    def threshold_at(self, share: float) -> float:
        """The lowest score that at most this share of the brain voxels exceeds."""
        allowed = int(share * self.voxels)
        if allowed >= len(self.scores):
            return 0.0
        return float(self.scores[len(self.scores) - 1 - allowed])


def healthy_scores(volumes: Iterable[tuple[np.ndarray, np.ndarray]]) -> HealthyScores:
    """Pool the scores of healthy volumes, read once: pairs of a map >= 0 and a bool brain mask.

    Raises SettingsError if there is no volume.
    """
    parts, voxels = [], 0
    for scores, brain in volumes:
        inside = scores[brain]
        parts.append(inside[inside > 0])
        voxels += inside.size
    if not voxels:
        raise SettingsError(
            "no threshold can be set: all healthy validation subjects were left out in "
            "preprocessing; results/slices/*_left_out.tsv says why"
        )
    return HealthyScores(np.sort(np.concatenate(parts)), voxels)


def healthy_threshold(healthy: HealthyScores, *, subjects: int) -> dict[str, Any]:
    """The content of the file with the threshold that few healthy voxels exceed.

    Its `thresholds` are those of all HEALTHY_SHARES, by their names in ON_HEALTHY.
    """
    return {
        "threshold": healthy.threshold_at(HEALTHY_SHARE),
        "share": HEALTHY_SHARE,
        "thresholds": {name: healthy.threshold_at(share) for name, share in ON_HEALTHY.items()},
        "subjects": subjects,
        "brain_voxels": healthy.voxels,
    }


def _value_below(cut: np.floating, *scores: np.ndarray) -> float:
    """A value v for which "score > v" selects the same voxels as "score >= cut"."""
    # ASSUME: the threshold is halfway between the two scores that it separates.
    below = max(values.max(where=values < cut, initial=0) for values in scores)
    middle = cut.dtype.type((float(below) + float(cut)) / 2)
    return float(middle if middle < cut else below)


def _count_from(scores: np.ndarray) -> np.ndarray:
    """The number of scores that are at least as high as each of CANDIDATES."""
    passed = np.searchsorted(CANDIDATES, scores, side="right")
    counts = np.bincount(passed, minlength=len(CANDIDATES) + 1)
    return np.cumsum(counts[::-1])[::-1][1:]
