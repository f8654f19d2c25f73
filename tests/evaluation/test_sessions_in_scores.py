"""Scans of one subject at several sessions: each is scored, and the subject counts once."""

import pandas as pd
import pytest

from brainuad.evaluation.comparison import compare
from brainuad.evaluation.detection import false_positive_volumes, scan_detection
from brainuad.evaluation.statistics import BootstrapSettings, mean_over_sessions, summarize
from brainuad.evaluation.subgroups import group_scans, summarize_groups
from brainuad.report.figures.timesteps import mean_by_timestep

BOOTSTRAP = BootstrapSettings(rounds=2000, confidence=0.95, seed=7)
NAN = float("nan")


def scores_of(rows, *, method="a", dataset="ms", metric="dice"):
    """Scores by fold, subject, session and value."""
    frame = pd.DataFrame(rows, columns=["fold", "subject", "session", "value"])
    return frame.assign(method=method, dataset=dataset, modality="t2", metric=metric)


# a was scanned three times in each of two folds, b once.
OFTEN = [
    *((0, "a", "1", 0.1), (0, "a", "2", 0.2), (0, "a", "3", 0.3), (0, "b", "1", 0.6)),
    *((1, "a", "1", 0.3), (1, "a", "2", NAN), (1, "a", "3", 0.5), (1, "b", "1", 0.8)),
]


def test_means_are_over_subjects_however_often_they_were_scanned():
    summary = summarize(scores_of(OFTEN), BOOTSTRAP)
    # Folds: (.2 + .6) / 2 and (.4 + .8) / 2; subjects: (.2 + .4) / 2 and (.6 + .8) / 2.
    assert summary.mean == pytest.approx((0.4 + 0.6) / 2)
    assert (summary.ci_low, summary.ci_high) == (pytest.approx(0.3), pytest.approx(0.7))
    assert (summary.folds, summary.subjects) == (2, 2)


def test_a_scan_twice_in_a_fold_is_refused():
    with pytest.raises(ValueError, match="a scan has two scores in one fold"):
        mean_over_sessions(scores_of([(0, "a", "1", 0.1), (0, "a", "1", 0.1)]))


def test_sessions_are_no_further_pairs_of_the_permutation_test():
    ones = [(0, subject, "1", value) for subject, value in zip("abc", (0.4, 0.5, 0.6), strict=True)]
    again = [(0, "a", "2", 0.2), (0, "a", "3", 0.3)]
    theirs = [(fold, subject, session, 0.1) for fold, subject, session, _ in ones + again]
    scores = pd.concat([scores_of(ones + again), scores_of(theirs, method="b")])
    (row,) = compare(
        scores, method="a", others=["b"], metrics=["dice"], rounds=100, bootstrap=BOOTSTRAP
    ).to_dict("records")
    # Differences .2 (of .3, .1 and .2), .4 and .5: two of eight flips are as far out, where those
    # of five scans would be two of 32.
    assert row["difference"] == pytest.approx(1.1 / 3)
    assert (row["p"], row["subjects"]) == (2 / 8, 3)


def test_a_session_that_one_method_could_not_score_is_no_pair():
    first = scores_of([(0, "a", "1", 0.9), (0, "a", "2", 0.4), (0, "b", "1", 0.3)])
    second = scores_of([(0, "a", "1", NAN), (0, "a", "2", 0.3), (0, "b", "1", 0.1)], method="b")
    (row,) = compare(
        pd.concat([first, second]),
        **{"method": "a", "others": ["b"], "metrics": ["dice"]},
        rounds=100,
        bootstrap=BOOTSTRAP,
    ).to_dict("records")
    assert row["difference"] == pytest.approx((0.1 + 0.2) / 2)


def test_patients_are_told_from_the_healthy_by_their_means():
    sick = [(0, "p", "1", 1.0), (0, "p", "2", 4.0), (0, "q", "1", 1.5)]
    well = [(0, "h", "", 2.0), (0, "i", "", 1.0)]
    scores = pd.concat(
        scores_of(rows, dataset=dataset, metric="mean_residual")
        for rows, dataset in ((sick, "ms"), (well, "ixi"))
    )
    table = scan_detection(scores, healthy=["ixi"], bootstrap=BOOTSTRAP)
    # 2.5 beats 2 and 1, 1.5 beats 1.
    assert table["mean"].tolist() == [0.75]
    assert (table["subjects"].item(), table["healthy_subjects"].item()) == (2, 2)


def test_clean_scans_are_shares_of_each_subject():
    rows = [(0, "h", "1", 0.0), (0, "h", "2", 0.0), (0, "h", "3", 3.0), (0, "i", "1", 5.0)]
    scores = scores_of(rows, metric="predicted_volume_ml").assign(fitted_on="ms")
    (row,) = false_positive_volumes(scores, BOOTSTRAP).to_dict("records")
    assert row["share_clean"] == pytest.approx((2 / 3 + 0) / 2)
    assert (row["mean"], row["median_ml"], row["subjects"]) == (3.0, 3.0, 2)


def test_a_scan_is_in_the_group_of_its_own_session():
    people = pd.DataFrame(
        [("a", "1", 39.0), ("a", "2", 41.0), ("a", "3", 42.0), ("b", "1", 50.0)],
        columns=["subject", "session", "age"],
    ).assign(dataset="ms", sex=None, site=None)
    scores = scores_of([(0, "a", "1", 0.1), (0, "a", "2", 0.4), (0, "a", "3", 0.6), *OFTEN[3:4]])
    groups = group_scans(people, scores)
    table = summarize_groups(scores, groups, metrics=["dice"], bootstrap=BOOTSTRAP)
    by_age = table.set_index("group")[["mean", "subjects"]]
    assert by_age.loc["< 40 years"].tolist() == [0.1, 1]
    # a counts once, with .5, beside b with .6.
    assert by_age.loc["40 to 60 years"].tolist() == [pytest.approx(0.55), 2]


def test_the_curve_of_timesteps_is_over_subjects():
    points = mean_by_timestep(scores_of(OFTEN).assign(timestep=500))
    assert points["mean"].tolist() == [pytest.approx(0.5)]
