"""What a table says of many scores: mean and spread over folds, interval over subjects."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainuad.errors import SettingsError

ROUNDS_AT_A_TIME = 1000


@dataclass(frozen=True)
class BootstrapSettings:
    """rounds: resamples drawn; confidence: mass of the interval in (0, 1); seed: of the draws."""

    rounds: int
    confidence: float
    seed: int

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise SettingsError(f"bootstrap.rounds is {self.rounds}, expected >= 1")
        if not 0 < self.confidence < 1:
            raise SettingsError(
                f"bootstrap.confidence is {self.confidence}, expected between 0 and 1"
            )


@dataclass(frozen=True)
class Summary:
    """One metric of one method on one data set; the fields are the columns of the tables.

    mean and sd are over the folds' means, ci_low and ci_high over the subjects; folds and
    subjects count those with at least one defined score.
    """

    mean: float
    sd: float
    ci_low: float
    ci_high: float
    folds: int
    subjects: int


def summarize(scores: pd.DataFrame, bootstrap: BootstrapSettings) -> Summary:
    """Summarize the scores of one metric, a table of fold, subject and value.

    Undefined scores (NaN) are left out. Each fold's mean is over its subjects; mean and sd are
    over these. The interval is over subjects, each with its mean over folds. Nothing defined
    gives NaN throughout. Raises ValueError if a subject stands twice in a fold.
    """
    if scores.duplicated(["fold", "subject"]).any():
        raise ValueError("a subject has two scores in one fold")
    defined = scores.dropna(subset=["value"])
    by_fold = defined.groupby("fold")["value"].mean().to_numpy()
    by_subject = defined.groupby("subject")["value"].mean().to_numpy()
    mean, sd = mean_and_sd(by_fold)
    low, high = bootstrap_interval(by_subject, bootstrap)
    return Summary(
        mean=mean, sd=sd, ci_low=low, ci_high=high, folds=len(by_fold), subjects=len(by_subject)
    )


def mean_and_sd(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of the folds' values [F]; NaN where there are too few."""
    # ASSUME: the spread over folds is the sample standard deviation (n - 1); the paper is silent.
    mean = float(np.mean(values)) if len(values) else float("nan")
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return mean, sd


def bootstrap_interval(values: np.ndarray, bootstrap: BootstrapSettings) -> tuple[float, float]:
    """Percentile interval of the mean of the subjects' values [N], by resampling subjects.

    The same seed gives the same interval (Efron's percentile method, as in
    `scipy.stats.bootstrap`). NaN for fewer than two subjects.
    """
    if len(values) < 2:
        return float("nan"), float("nan")
    generator = np.random.default_rng(bootstrap.seed)
    means = []
    for start in range(0, bootstrap.rounds, ROUNDS_AT_A_TIME):
        rounds = min(ROUNDS_AT_A_TIME, bootstrap.rounds - start)
        rows = generator.integers(0, len(values), (rounds, len(values)))
        means.append(values[rows].mean(axis=1))
    tail = 50 * (1 - bootstrap.confidence)
    low, high = np.percentile(np.concatenate(means), [tail, 100 - tail])
    return float(low), float(high)
