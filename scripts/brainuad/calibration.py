"""How much the threshold decides: the fitted one, the best one, and those of other data sets.

A threshold is fitted on validation subjects (`thresholds`). Here the test subjects are scored at
several: their own set's, those of the other sets, and the best one that could have been chosen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields

import numpy as np
import pandas as pd

from brainuad import metrics
from brainuad.postprocess import PostprocessingSettings, segment
from brainuad.statistics import BootstrapSettings, Summary, summarize
from brainuad.thresholds import Threshold

# In the column fitted_on: the threshold was chosen on the test subjects themselves.
ON_TEST = "test"
CANDIDATES = 1000
PLACE = ["method", "dataset", "modality"]
KEYS = [*PLACE, "fitted_on", "metric"]


def best_threshold_on_test(
    anomaly_maps: Iterable[np.ndarray], lesions: Iterable[np.ndarray]
) -> Threshold:
    """The threshold of the best Dice that could be chosen if the test lesions were known.

    anomaly_maps are >= 0, lesions uint8 {0, 1, 2} of the same shapes, read once and one at a time.
    Dice is the mean over the volumes with lesions, as in the tables, but with small components.
    The candidates are the scores of lesion voxels, or 1000 quantiles of them if they are more;
    of equal Dice the highest threshold wins. If no lesion voxel scores above 0, the threshold is
    infinite and the Dice 0; without any lesion the Dice is NaN.
    """
    # ASSUME: the best threshold is searched before small components are removed, as the fitted one
    # is. It is then used as that one is, so that the best Dice in the table may by chance lie a
    # little below the fitted one.
    parts = [metrics.scored_voxels(*pair) for pair in zip(anomaly_maps, lesions, strict=True)]
    parts = [part for part in parts if part.lesion_voxels > 0]
    cuts = _candidates([part.lesion for part in parts])
    if len(cuts) == 0:
        return Threshold(value=float("inf"), dice=0.0 if parts else float("nan"))
    total = np.zeros(len(cuts))
    for part in parts:
        hits = _count_from(part.lesion, cuts)
        alarms = _count_from(part.healthy, cuts)
        total += 2 * hits / (hits + alarms + part.lesion_voxels)
    best = len(cuts) - 1 - int(np.argmax(total[::-1]))
    # "score > value" shall select what "score >= cut" does.
    value = np.nextafter(cuts[best], cuts.dtype.type(0))
    return Threshold(value=float(value), dice=float(total[best] / len(parts)))


def scores_at(
    anomaly_map: np.ndarray,
    lesions: np.ndarray,
    affine: np.ndarray,
    *,
    thresholds: Mapping[str, float],
    settings: PostprocessingSettings,
) -> list[tuple[str, str, float]]:
    """One subject at each threshold: rows of fitted_on, metric (dice, predicted_volume_ml), value.

    anomaly_map and lesions are [S, H, W], affine [4, 4] in mm; thresholds by the data set they were
    fitted on. A healthy subject has no Dice (NaN); what is predicted in it is false.
    """
    rows = []
    for fitted_on, threshold in thresholds.items():
        prediction = segment(anomaly_map, threshold, settings)
        scored = prediction & (lesions != metrics.IGNORED)
        rows.append((fitted_on, "dice", metrics.dice(prediction, lesions)))
        rows.append((fitted_on, "predicted_volume_ml", metrics.volume_ml(scored, affine)))
    return rows


def summarize_thresholds(scores: pd.DataFrame, bootstrap: BootstrapSettings) -> pd.DataFrame:
    """The Dice on each data set by the threshold of each: a calibration matrix in long form.

    scores is tidy: method, dataset, modality, fold, subject, fitted_on, metric, value. Beside the
    summary: to_own, the mean Dice minus that at the set's own threshold.
    """
    dices = scores[(scores["metric"] == "dice") & scores["value"].notna()]
    rows = [
        dict(zip(KEYS, key, strict=True)) | asdict(summarize(group, bootstrap))
        for key, group in dices.groupby(KEYS, sort=False)
    ]
    table = pd.DataFrame(rows, columns=[*KEYS, *(field.name for field in fields(Summary))])
    own = table[table["fitted_on"] == table["dataset"]].set_index(PLACE)["mean"]
    places = pd.MultiIndex.from_frame(table[PLACE])
    return table.assign(to_own=table["mean"] - own.reindex(places).to_numpy())


def fitted_beside_best(summary: pd.DataFrame) -> pd.DataFrame:
    """From `summarize_thresholds`: method, dataset, modality, fitted, best, difference.

    The mean Dice at the set's own threshold, at the best one, and what the fitting lost.
    """
    by_threshold = {
        "fitted": summary[summary["fitted_on"] == summary["dataset"]],
        "best": summary[summary["fitted_on"] == ON_TEST],
    }
    columns = [rows.set_index(PLACE)["mean"].rename(name) for name, rows in by_threshold.items()]
    table = columns[0].to_frame().join(columns[1]).reset_index()
    return table.assign(difference=table["fitted"] - table["best"])


def _candidates(scores: Sequence[np.ndarray]) -> np.ndarray:
    """Rising distinct scores, at most CANDIDATES of them, always with the highest."""
    cuts = np.unique(np.concatenate(scores)) if scores else np.empty(0)
    if len(cuts) <= CANDIDATES:
        return cuts
    # ASSUME: the best of a thousand candidates, evenly spaced among the distinct scores of lesion
    # voxels, is taken for the best; to try each of millions would take hours.
    places = np.linspace(0, len(cuts) - 1, CANDIDATES).round().astype(int)
    return cuts[places]


def _count_from(scores: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """How many scores are at least as high as each cut."""
    ordered = np.sort(scores)
    return len(ordered) - np.searchsorted(ordered, cuts, side="left")
