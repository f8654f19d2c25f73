"""Statistics of scores: spread over folds, intervals over subjects, and tests."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainuad.config.evaluation import Bootstrap

ROUNDS_AT_A_TIME = 1000


@dataclass(frozen=True)
class BootstrapSettings(Bootstrap):
    """The bootstrap of the config, with the seed of the draws."""

    seed: int


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
    """Summarize the scores of one metric, a table as `mean_over_sessions` takes it.

    Undefined scores (NaN) are left out. mean and sd are over the folds' means over subjects. The
    interval is over subjects, each with its mean over folds. If no score is defined, all are NaN.
    """
    defined = mean_over_sessions(scores.dropna(subset=["value"]))
    by_fold = defined.groupby("fold")["value"].mean().to_numpy()
    by_subject = defined.groupby("subject")["value"].mean().to_numpy()
    mean, sd = mean_and_sd(by_fold)
    low, high = bootstrap_interval(by_subject, bootstrap)
    return Summary(
        mean=mean, sd=sd, ci_low=low, ci_high=high, folds=len(by_fold), subjects=len(by_subject)
    )


def mean_over_sessions(scores: pd.DataFrame) -> pd.DataFrame:
    """Fold, subject and value: the mean over the sessions of each fold and subject.

    scores has the scores of one metric by fold, subject, session (the column may be missing) and
    value. Raises ValueError if a scan appears twice in a fold.
    """
    # ASSUME: the scans of a subject are not independent, so a subject counts once, with the mean
    # over its sessions. This also holds for means over subjects, so that a subject with more scans
    # does not have more weight.
    scan = [name for name in ("fold", "subject", "session") if name in scores]
    if scores.duplicated(scan).any():
        raise ValueError("a scan has two scores in one fold")
    return scores.groupby(["fold", "subject"], sort=False, as_index=False)["value"].mean()


def mean_and_sd(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of the folds' values [F]; NaN if there are too few."""
    # ASSUME: the spread over folds is the sample standard deviation (n - 1), which the paper does
    # not define.
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
    return percentile_interval(np.concatenate(means), bootstrap.confidence)


def percentile_interval(resampled: np.ndarray, confidence: float) -> tuple[float, float]:
    """The ends of the interval with the middle `confidence` of resampled values."""
    tail = 50 * (1 - confidence)
    low, high = np.percentile(resampled, [tail, 100 - tail])
    return float(low), float(high)


def permutation_p_value(differences: np.ndarray, *, rounds: int, seed: int) -> float:
    """Two-sided p of a mean difference between paired scores, by flipping signs at random.

    differences [N], one per subject; if the methods differ only by chance, each is as likely with
    the other sign. If there are at most `rounds` flips (2^N), all are tried; otherwise `rounds` are
    drawn, and if b of them are at least as extreme as the observation on its side, p is
    2 (b + 1) / (rounds + 1). So p is never 0. NaN for fewer than two subjects.
    """
    if len(differences) < 2:
        return float("nan")
    # Imported here, since it takes long and only this test needs it.
    from scipy import stats

    # scipy counts the flips in a float, which is rightly infinite for more than 1023 subjects.
    with np.errstate(over="ignore"):
        test = stats.permutation_test(
            (differences,),
            np.mean,
            permutation_type="samples",
            vectorized=True,
            n_resamples=rounds,
            batch=ROUNDS_AT_A_TIME,
            rng=np.random.default_rng(seed),
        )
    return float(test.pvalue)


def holm(p_values: np.ndarray) -> np.ndarray:
    """The p values [N] of n tests, corrected by Holm (1979); NaN is not counted.

    The k-th smallest of n is multiplied by n - k + 1, and is at least the one before it.
    """
    corrected = np.full(len(p_values), np.nan)
    order = np.argsort(p_values)[: np.count_nonzero(~np.isnan(p_values))]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected
