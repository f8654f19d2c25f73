import itertools
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from brainuad.config.settings import settings_from
from brainuad.evaluation.statistics import (
    BootstrapSettings,
    bootstrap_interval,
    holm,
    mean_and_sd,
    permutation_p_value,
    summarize,
)
from brainuad.io.errors import SettingsError

BOOTSTRAP = BootstrapSettings(rounds=2500, confidence=0.95, seed=7)


def table(rows: list[tuple[int, str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["fold", "subject", "value"])


def test_summary_by_hand():
    scores = table([(0, "a", 0.1), (0, "b", 0.3), (1, "a", 0.3), (1, "b", 0.5)])
    summary = summarize(scores, BOOTSTRAP)
    assert summary.mean == pytest.approx(0.3)
    # Folds .2 and .4: the sample standard deviation is .1 * sqrt(2).
    assert summary.sd == pytest.approx(0.1 * math.sqrt(2))
    # Subjects .2 and .4: a quarter of the resamples are (a, a), a quarter (b, b).
    assert (summary.ci_low, summary.ci_high) == (pytest.approx(0.2), pytest.approx(0.4))
    assert (summary.folds, summary.subjects) == (2, 2)


def test_undefined_scores_are_left_out():
    scores = table([(0, "a", 0.2), (0, "b", np.nan), (0, "c", 0.4), (1, "b", np.nan)])
    summary = summarize(scores, BOOTSTRAP)
    assert summary.mean == pytest.approx(0.3)
    assert math.isnan(summary.sd)
    assert (summary.folds, summary.subjects) == (1, 2)


def test_nothing_defined_gives_nan():
    summary = summarize(table([(0, "a", np.nan)]), BOOTSTRAP)
    assert math.isnan(summary.mean) and math.isnan(summary.sd) and math.isnan(summary.ci_low)
    assert (summary.folds, summary.subjects) == (0, 0)


def test_a_subject_twice_in_a_fold_is_refused():
    with pytest.raises(ValueError, match="two scores"):
        summarize(table([(0, "a", 0.2), (0, "a", 0.4)]), BOOTSTRAP)


def test_mean_and_sd_of_one_fold():
    mean, sd = mean_and_sd(np.array([0.5]))
    assert mean == 0.5 and math.isnan(sd)


def test_interval_as_scipy():
    values = np.random.default_rng(0).random(40)
    expected = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=BOOTSTRAP.rounds,
        confidence_level=BOOTSTRAP.confidence,
        method="percentile",
        batch=1000,
        rng=np.random.default_rng(BOOTSTRAP.seed),
    ).confidence_interval
    assert bootstrap_interval(values, BOOTSTRAP) == pytest.approx(tuple(expected), rel=1e-12)


def test_interval_is_narrower_with_less_confidence_and_seeded():
    values = np.random.default_rng(1).random(30)
    wide = bootstrap_interval(values, BOOTSTRAP)
    narrow = bootstrap_interval(values, BootstrapSettings(rounds=2500, confidence=0.5, seed=7))
    assert wide[0] < narrow[0] < values.mean() < narrow[1] < wide[1]
    assert bootstrap_interval(values, BOOTSTRAP) == wide


def test_one_subject_has_no_interval():
    assert all(math.isnan(end) for end in bootstrap_interval(np.array([0.4]), BOOTSTRAP))


@pytest.mark.parametrize("change", [{"rounds": 0}, {"confidence": 1.0}, {"confidence": 0.0}])
def test_settings_out_of_range(change):
    with pytest.raises(SettingsError, match=next(iter(change))):
        settings_from(BootstrapSettings, {"rounds": 10, "confidence": 0.9, "seed": 1} | change)


def test_permutation_by_hand():
    # Of the eight flips of 1, 2, 3 only the observed and its mirror have a mean of 2 or more.
    assert permutation_p_value(np.array([1.0, 2.0, 3.0]), rounds=100, seed=0) == 2 / 8
    # The means of 1, -1, 2 are +-4/3, and twice each +-2/3 and 0: five of eight are at least 2/3
    # or three of them, of which scipy doubles the side.
    assert permutation_p_value(np.array([1.0, -1.0, 2.0]), rounds=100, seed=0) == 2 * 3 / 8


def test_permutation_as_all_flips():
    differences = np.random.default_rng(3).normal(0.3, 1, 14)
    flips = np.array(list(itertools.product([-1, 1], repeat=14)))
    observed = abs(differences.mean())
    exact = np.mean(np.abs((flips * differences).mean(axis=1)) >= observed - 1e-12)
    assert 0.05 < exact < 0.95
    assert permutation_p_value(differences, rounds=2**14, seed=0) == pytest.approx(exact)
    drawn = permutation_p_value(differences, rounds=10_000, seed=0)
    # Four standard deviations of twice a share of 10,000 draws.
    assert drawn != exact
    assert abs(drawn - exact) < 4 * 2 * math.sqrt(exact / 2 * (1 - exact / 2) / 10_000)


def test_permutation_is_seeded_symmetric_and_never_0():
    differences = np.random.default_rng(4).normal(0.1, 1, 30)
    value = permutation_p_value(differences, rounds=999, seed=1)
    assert value == permutation_p_value(differences, rounds=999, seed=1)
    assert value != permutation_p_value(differences, rounds=999, seed=2)
    assert permutation_p_value(np.ones(40), rounds=999, seed=1) == 2 / 1000
    assert permutation_p_value(np.zeros(40), rounds=999, seed=1) == 1
    assert math.isnan(permutation_p_value(np.array([0.5]), rounds=999, seed=1))


def test_permutation_of_many_subjects_is_quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = permutation_p_value(np.tile([1.0, -1.0], 600), rounds=99, seed=1)
    assert value > 0.5


def test_holm_by_hand():
    # Rising: .005 x 4, .01 x 3, .03 x 2, .04 x 1, which may not fall below .06.
    corrected = holm(np.array([0.01, 0.04, np.nan, 0.03, 0.005]))
    np.testing.assert_allclose(corrected, [0.03, 0.06, np.nan, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.6, 0.7])), [1, 1])
    assert len(holm(np.array([]))) == 0
