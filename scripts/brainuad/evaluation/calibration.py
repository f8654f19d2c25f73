"""How much the threshold decides: the fitted one, the best one, and those of other data sets.

A threshold is fitted on validation subjects (`thresholds`). Here the test subjects are scored at
several: their own set's, those of the other sets, and the best one that could have been chosen.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.evaluation import metrics
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import SUMMARY_COLUMNS, summarize_by
from brainuad.evaluation.thresholds import Threshold
from brainuad.images.mask_labels import IGNORED
from brainuad.scores.postprocess import segment

# In the column fitted_on: the threshold was chosen on the test subjects themselves.
ON_TEST = "test"
# ASSUME: the best threshold on test is the best of 20,001 candidates, evenly spaced in the
# logarithm and less than 0.1 % apart. So each volume is read once and let go; an exact search would
# hold every score of a whole test set. No residual reaches 10.
CANDIDATES = np.geomspace(1e-5, 10, 20001, dtype=np.float32)
PLACE = ["method", "dataset", "modality"]
KEYS = [*PLACE, "fitted_on", "metric"]


def best_threshold_on_test(volumes: Iterable[tuple[np.ndarray, np.ndarray]]) -> Threshold:
    """The threshold of the best Dice that could be chosen if the test lesions were known.

    volumes are pairs of an anomaly map >= 0 and lesions uint8 {0, 1, 2} of its shape, read once and
    one at a time. Dice is the mean over the volumes with lesions, as in the tables, but with small
    components; of equal Dice the highest of CANDIDATES wins. If no lesion voxel scores above them,
    the threshold is infinite and the Dice 0; without any lesion the Dice is NaN.
    """
    # ASSUME: the best threshold is searched before small components are removed, as the fitted one
    # is. It is then used as that one is, so that the best Dice in the table may by chance lie a
    # little below the fitted one.
    total, count = np.zeros(len(CANDIDATES)), 0
    for anomaly_map, lesions in volumes:
        voxels = metrics.scored_voxels(anomaly_map, lesions)
        if voxels.lesion_voxels == 0:
            continue
        hits, alarms = _count_from(voxels.lesion), _count_from(voxels.healthy)
        total += 2 * hits / (hits + alarms + voxels.lesion_voxels)
        count += 1
    if not total.any():
        return Threshold(value=float("inf"), dice=0.0 if count else float("nan"))
    best = len(total) - 1 - int(np.argmax(total[::-1]))
    # "score > value" shall select what "score >= candidate" does.
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

    anomaly_map and lesions are [S, H, W], voxel_ml is the volume of a voxel; thresholds by the data
    set they were fitted on. A healthy scan has no Dice (NaN); what is predicted in it is false.
    """
    rows = []
    for fitted_on, threshold in thresholds.items():
        prediction = segment(anomaly_map, threshold, settings)
        scored = prediction & (lesions != IGNORED)
        rows.append((fitted_on, "dice", metrics.dice(prediction, lesions)))
        rows.append((fitted_on, "predicted_volume_ml", metrics.volume_ml(scored, voxel_ml)))
    return rows


def summarize_thresholds(scores: pd.DataFrame, bootstrap: BootstrapSettings) -> pd.DataFrame:
    """The Dice on each data set by the threshold of each: a calibration matrix in long form.

    scores is tidy: method, dataset, modality, fold, subject, session, fitted_on, metric, value.
    Beside the summary: to_own, the mean Dice minus that at the set's own threshold. No scores give
    no rows.
    """
    if scores.empty:
        return pd.DataFrame(columns=[*KEYS, *SUMMARY_COLUMNS, "to_own"])
    dices = scores[(scores["metric"] == "dice") & scores["value"].notna()]
    table = summarize_by(KEYS, dices, bootstrap)
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


def _count_from(scores: np.ndarray) -> np.ndarray:
    """How many scores are at least as high as each candidate, [CANDIDATES]."""
    passed = np.searchsorted(CANDIDATES, scores, side="right")
    counts = np.bincount(passed, minlength=len(CANDIDATES) + 1)
    return np.cumsum(counts[::-1])[::-1][1:]
