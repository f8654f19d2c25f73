"""Whole scans: patients against healthy subjects, and false positives in healthy subjects."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from brainuad.evaluation.metrics import PREDICTED_VOLUME, SCAN_SCORE
from brainuad.evaluation.statistics import (
    ROUNDS_AT_A_TIME,
    BootstrapSettings,
    Summary,
    mean_and_sd,
    mean_over_sessions,
    percentile_interval,
    summarize,
)
from brainuad.evaluation.summaries import SUMMARY_COLUMNS

AUROC = "auroc"
DETECTION_COLUMNS = [
    *("method", "dataset", "modality", "metric"),
    *(*SUMMARY_COLUMNS, "healthy", "healthy_subjects"),
]
FALSE_POSITIVE_KEYS = ["method", "dataset", "modality", "fitted_on"]
FALSE_POSITIVE_COLUMNS = [
    *(*FALSE_POSITIVE_KEYS, "metric", *SUMMARY_COLUMNS),
    *("median_ml", "percentile_95_ml", "share_clean"),
]


def auroc(patients: np.ndarray, healthy: np.ndarray) -> float:
    """Area under the ROC curve of scores [P] and [H]: how often a patient's score is higher.

    It is computed from the ranks (Mann-Whitney); a tie counts one half. NaN if either is empty.
    """
    if len(patients) == 0 or len(healthy) == 0:
        return float("nan")
    ranks = pd.Series(np.concatenate([patients, healthy])).rank()[: len(patients)]
    lowest = len(patients) * (len(patients) + 1) / 2
    return float((ranks.sum() - lowest) / (len(patients) * len(healthy)))


def scan_detection(
    scores: pd.DataFrame, *, healthy: Sequence[str], bootstrap: BootstrapSettings
) -> pd.DataFrame:
    """AUROC of the scan score: the test subjects of each lesion set against the healthy ones.

    scores   tidy (method, dataset, modality, fold, subject, session, metric, value) with the metric
             mean_residual, of which a subject has the mean over its sessions
    healthy  the healthy data sets, at most one for each modality, in which it is compared

    mean and sd are those of the folds' AUROC. The interval resamples patients and healthy subjects
    separately, with the mean over folds of the result of each pair. `subjects` counts the patients,
    `healthy_subjects` the others. There is no row if either group has no scores.
    """
    rows = []
    chosen = scores[scores["metric"] == SCAN_SCORE].dropna(subset=["value"])
    for (method, modality), group in chosen.groupby(["method", "modality"], sort=False):
        is_healthy = group["dataset"].isin(list(healthy))
        normal = _by_fold(group[is_healthy])
        for dataset, diseased in group[~is_healthy].groupby("dataset", sort=False):
            sick = _by_fold(diseased)
            folds = [fold for fold in sick if fold in normal]
            if not folds:
                continue
            pairs = [(sick[fold], normal[fold]) for fold in folds]
            mean, sd = mean_and_sd(np.array([auroc(*pair) for pair in pairs]))
            wins = pd.concat([_wins(*pair) for pair in pairs]).groupby(level=0).mean().to_numpy()
            low, high = _interval(wins, bootstrap)
            summary = Summary(mean, sd, low, high, folds=len(folds), subjects=wins.shape[0])
            place = {"method": method, "dataset": dataset, "modality": modality, "metric": AUROC}
            against = {
                "healthy": group.loc[is_healthy, "dataset"].iloc[0],
                "healthy_subjects": wins.shape[1],
            }
            rows.append(place | asdict(summary) | against)
    return pd.DataFrame(rows, columns=DETECTION_COLUMNS)


def false_positive_volumes(scores: pd.DataFrame, bootstrap: BootstrapSettings) -> pd.DataFrame:
    """The volume that is marked as anomalous in healthy brains, by each threshold.

    scores is tidy with the metric predicted_volume_ml of healthy subjects and the column fitted_on,
    the data set whose threshold was used. In addition to the usual summary (ml) there are median_ml
    and percentile_95_ml over the subjects, each with its mean over sessions and folds, and
    share_clean, the share of scans in which nothing is marked, as the mean over subjects and folds.
    Without scores there are no rows.
    """
    if scores.empty:
        return pd.DataFrame(columns=FALSE_POSITIVE_COLUMNS)
    rows = []
    chosen = scores[scores["metric"] == PREDICTED_VOLUME].dropna(subset=["value"])
    for place, group in chosen.groupby(FALSE_POSITIVE_KEYS, sort=False):
        by_subject = mean_over_sessions(group).groupby("subject")["value"].mean()
        clean = mean_over_sessions(group.assign(value=group["value"] == 0))
        rows.append(
            dict(zip(FALSE_POSITIVE_KEYS, place, strict=True))
            | {"metric": PREDICTED_VOLUME}
            | asdict(summarize(group, bootstrap))
            | {
                "median_ml": by_subject.median(),
                "percentile_95_ml": by_subject.quantile(0.95),
                "share_clean": clean["value"].mean(),
            }
        )
    return pd.DataFrame(rows, columns=FALSE_POSITIVE_COLUMNS)


def _by_fold(scores: pd.DataFrame) -> dict[int, pd.Series]:
    """Scores by subject, for each fold."""
    folds = mean_over_sessions(scores).groupby("fold")
    return {fold: group.set_index("subject")["value"] for fold, group in folds}


def _wins(patients: pd.Series, healthy: pd.Series) -> pd.DataFrame:
    """1 if the patient (row) scores higher than the healthy subject (column), 1/2 for a tie."""
    above = np.sign(patients.to_numpy()[:, None] - healthy.to_numpy()[None, :])
    return pd.DataFrame((above + 1) / 2, patients.index, healthy.index)


def _interval(wins: np.ndarray, bootstrap: BootstrapSettings) -> tuple[float, float]:
    """Percentile interval of the mean of wins [P, H], with rows and columns resampled.

    NaN if there is a single patient or healthy subject.
    """
    if min(wins.shape) < 2:
        return float("nan"), float("nan")
    generator = np.random.default_rng(bootstrap.seed)
    means = []
    for start in range(0, bootstrap.rounds, ROUNDS_AT_A_TIME):
        rounds = min(ROUNDS_AT_A_TIME, bootstrap.rounds - start)
        # Drawing n of n with replacement is drawing how often each of them is taken.
        rows, columns = (
            generator.multinomial(size, np.full(size, 1 / size), rounds) / size
            for size in wins.shape
        )
        means.append(np.sum((rows @ wins) * columns, axis=1))
    return percentile_interval(np.concatenate(means), bootstrap.confidence)
