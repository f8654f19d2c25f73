"""How much Dice depends on the threshold: the fitted one, the best one, or another data set's.

A threshold is fitted on validation subjects (`thresholds`). Here test subjects are scored at the
threshold of their own data set, at those of other data sets, and at the best possible one.
"""

import pandas as pd

from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import SUMMARY_COLUMNS, summarize_by
from brainuad.evaluation.thresholds import ON_TEST

PLACE = ["method", "dataset", "modality"]
KEYS = [*PLACE, "fitted_on", "metric"]


def summarize_thresholds(scores: pd.DataFrame, bootstrap: BootstrapSettings) -> pd.DataFrame:
    """The Dice on each data set at the threshold of each: a calibration matrix in long form.

    scores is tidy: method, dataset, modality, fold, subject, session, fitted_on, metric, value. The
    summary has one more column, to_own: the mean Dice minus that at the set's own threshold.
    Without scores there are no rows.
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

    They are the mean Dice at the set's own threshold and at the best one, and the difference.
    """
    by_threshold = {
        "fitted": summary[summary["fitted_on"] == summary["dataset"]],
        "best": summary[summary["fitted_on"] == ON_TEST],
    }
    columns = [rows.set_index(PLACE)["mean"].rename(name) for name, rows in by_threshold.items()]
    table = columns[0].to_frame().join(columns[1]).reset_index()
    return table.assign(difference=table["fitted"] - table["best"])
