"""Results by groups of subjects: volume of their lesions, age, sex and site."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import summarize_by

# ASSUME: lesions are classified by fixed volumes, not by terciles, so that a class means the same
# in every data set: this shows whether a data set is harder, or only has smaller lesions.
LESION_EDGES_ML = (5, 15, 50)
# ASSUME: three classes of age, younger, middle and older adults.
AGE_EDGES = (40, 60)

LESION_SIZE, AGE, SEX, SITE = "lesion volume", "age", "sex", "site"
SCAN = ["dataset", "subject", "session"]
KEYS = ["method", "dataset", "modality", "metric", "grouping", "group"]


def classes(values: pd.Series, edges: Sequence[float], unit: str) -> pd.Categorical:
    """Sort numbers into the classes between increasing edges: "< 5 ml", "5 to 15 ml", "≥ 50 ml".

    An edge belongs to the class above it; NaN stays NaN.
    """
    inner = [f"{low:g} to {high:g} {unit}" for low, high in pairwise(edges)]
    labels = [f"< {edges[0]:g} {unit}", *inner, f"\u2265 {edges[-1]:g} {unit}"]
    return pd.cut(values, [-np.inf, *edges, np.inf], right=False, labels=labels).array


def group_scans(subjects: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The groups of each scan: dataset, subject, session, grouping, group, in the tables' order.

    subjects has dataset, subject, session, age (years), sex and site; a scan with an empty value is
    in no such group. The volume of the lesions is the score lesion_volume_ml.
    """
    # ASSUME: each scan is in the group of its own session, by the age and the lesions of that day.
    # A subject whose scans are in two groups counts once in each, with the scans that are in it.
    # ASSUME: the volume is that of the scored lesions, counted on the final grid within the field
    # of view and scaled back to the size of the scan, not that of the raw mask.
    volumes = scores[scores["metric"] == "lesion_volume_ml"]
    volumes = volumes.groupby(SCAN, as_index=False, sort=False)["value"].mean()
    parts = [
        (volumes, LESION_SIZE, classes(volumes["value"], LESION_EDGES_ML, "ml")),
        (subjects, AGE, classes(subjects["age"].astype(float), AGE_EDGES, "years")),
        (subjects, SEX, pd.Categorical(subjects["sex"])),
        (subjects, SITE, pd.Categorical(subjects["site"].map(_text, na_action="ignore"))),
    ]
    frames = [
        frame[SCAN].assign(grouping=grouping, group=groups).sort_values("group")
        for frame, grouping, groups in parts
    ]
    known = pd.concat([frame.astype({"group": object}) for frame in frames], ignore_index=True)
    return known.dropna(subset=["group"]).reset_index(drop=True)


def summarize_groups(
    scores: pd.DataFrame,
    groups: pd.DataFrame,
    *,
    metrics: Sequence[str],
    bootstrap: BootstrapSettings,
) -> pd.DataFrame:
    """Summaries of groups with scores: a row per method, data set, modality, metric and group.

    scores is tidy (method, dataset, modality, fold, subject, session, metric, value), groups is a
    result of `group_scans`. The numbers are those of `statistics.summarize`; rows are in the order
    of the scores, then of the groups.
    """
    chosen = scores[scores["metric"].isin(list(metrics))]
    merged = chosen.merge(groups, on=SCAN)
    for key in KEYS:
        order = (groups if key in groups and key not in chosen else chosen)[key]
        merged[key] = pd.Categorical(merged[key], list(dict.fromkeys(order)))
    return summarize_by(KEYS, merged.sort_values(KEYS, kind="stable"), bootstrap)


def _text(site: object) -> str:
    """A site's name, which may be a number in a table."""
    return f"{site:g}" if isinstance(site, int | float) else str(site)
