"""Compare one method with others on the same subjects: the differences, and tests of them."""

from collections.abc import Sequence

import pandas as pd

from brainuad.evaluation.statistics import (
    BootstrapSettings,
    bootstrap_interval,
    holm,
    mean_over_sessions,
    permutation_p_value,
)

PLACE = ["dataset", "modality", "metric"]
COLUMNS = [
    *(*PLACE, "method", "other", "difference", "ci_low", "ci_high"),
    *("p", "p_corrected", "subjects"),
]


def compare(
    scores: pd.DataFrame,
    *,
    method: str,
    others: Sequence[str],
    metrics: Sequence[str],
    rounds: int,
    bootstrap: BootstrapSettings,
) -> pd.DataFrame:
    """Test a method against each of the others, per data set, modality and metric.

    scores is tidy: method, dataset, modality, fold, subject, session, metric, value. Returns a row
    per test: difference (method - other, mean over subjects) with its bootstrap interval, p of the
    paired permutation test with `rounds` rounds, p_corrected by Holm, and the number of subjects
    with both scores. There is no row if the method or the other was not scored.
    """
    rows = []
    for place, group in scores[scores["metric"].isin(list(metrics))].groupby(PLACE, sort=False):
        scored = set(group["method"])
        for other in others:
            if other == method or not {method, other} <= scored:
                continue
            differences = paired_differences(group, method, other).to_numpy()
            low, high = bootstrap_interval(differences, bootstrap)
            rows.append(
                dict(zip(PLACE, place, strict=True))
                | {
                    "method": method,
                    "other": other,
                    "difference": differences.mean() if len(differences) else float("nan"),
                    "ci_low": low,
                    "ci_high": high,
                    "p": permutation_p_value(differences, rounds=rounds, seed=bootstrap.seed),
                    "subjects": len(differences),
                }
            )
    table = pd.DataFrame(rows, columns=COLUMNS)
    # ASSUME: p is corrected for all tests of one metric, over all other methods and data sets,
    # which a reader looks at together; Dice and AUPRC of the same maps are strongly related.
    for _, tests in table.groupby("metric"):
        table.loc[tests.index, "p_corrected"] = holm(tests["p"].to_numpy(dtype=float))
    return table.astype({"p_corrected": float})


def paired_differences(scores: pd.DataFrame, method: str, other: str) -> pd.Series:
    """Each subject's score by one method minus that by the other, mean over folds.

    scores is one metric on one data set: method, fold, subject, session (the column may be
    missing), value. A scan and fold counts only if both scores are defined; the difference of a
    fold is the mean over sessions. Raises ValueError if a scan appears twice in a fold.
    """
    # ASSUME: the unit of the test is the subject, with its mean over folds. All folds' models are
    # tested on the same subjects, so counting a subject once per fold would inflate their number.
    first, second = (scores[scores["method"] == name] for name in (method, other))
    scan = [name for name in ("fold", "subject", "session") if name in scores]
    pairs = first.merge(second, on=scan, validate="one_to_one")
    pairs = pairs.assign(value=pairs["value_x"] - pairs["value_y"]).dropna(subset=["value"])
    return mean_over_sessions(pairs).groupby("subject")["value"].mean()
