"""Summaries of lesion-wise scores over subjects and folds."""

import pandas as pd

from brainuad.evaluation.lesions import F1, FALSE_POSITIVES, SENSITIVITY
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.subgroups import classes
from brainuad.evaluation.summaries import SUMMARY_COLUMNS, summarize_by

# ASSUME: single lesions are classified by fixed volumes, those of spheres with diameters of about
# 6, 12 and 27 mm, so that a class means the same in every data set.
SIZE_EDGES_ML = (0.1, 1, 10)
ANY_SIZE = "any"
PLACE = ["dataset", "modality"]
SCAN = ["fold", "subject", "session"]
KEYS = ["method", *PLACE, "metric", "size"]
COLUMNS = [*KEYS, *SUMMARY_COLUMNS, "lesions"]


def summarize_lesions(
    scores: pd.DataFrame, lesions: pd.DataFrame, bootstrap: BootstrapSettings
) -> pd.DataFrame:
    """Sensitivity, false positives and F1 of each method and data set; sensitivity also by size.

    scores is tidy (method, dataset, modality, fold, subject, session, metric, value); lesions has a
    row per lesion with the same columns of its scan, lesion, volume_ml and detected (0 or 1).
    Returns a row per method, data set, modality, metric and size (`any`, or a class of volumes, the
    small ones first) with the numbers of `statistics.summarize`, and the number of tested lesions
    of this size. Without scores there are no rows.
    """
    chosen = scores[scores["metric"].isin([SENSITIVITY, F1, FALSE_POSITIVES])]
    if chosen.empty:
        return pd.DataFrame(columns=COLUMNS)
    # The columns of a file without lesions have no type.
    lesions = lesions.astype({"volume_ml": float, "detected": float})
    # ASSUME: the sensitivity of a subject is the share of its lesions that are detected, and all
    # subjects have the same weight; otherwise a few patients with very many lesions would dominate.
    sized = lesions.assign(size=classes(lesions["volume_ml"], SIZE_EDGES_ML, "ml"))
    by_scan = sized.groupby(["size", "method", *PLACE, *SCAN], sort=False, observed=True)
    shares = by_scan["detected"].mean().reset_index(name="value").sort_values("size", kind="stable")
    both = [
        chosen.assign(size=ANY_SIZE),
        shares.astype({"size": str}).assign(metric=SENSITIVITY),
    ]
    summary = summarize_by(KEYS, pd.concat(both, ignore_index=True), bootstrap)
    distinct = sized.drop_duplicates([*PLACE, "subject", "session", "lesion"])
    every_size = [distinct.assign(size=ANY_SIZE), distinct.astype({"size": str})]
    counts = pd.concat(every_size).groupby([*PLACE, "size"]).size().reset_index(name="lesions")
    summary = summary.merge(counts, on=[*PLACE, "size"], how="left")
    return summary.fillna({"lesions": 0}).astype({"lesions": int})[COLUMNS]
