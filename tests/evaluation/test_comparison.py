import math

import numpy as np
import pandas as pd
import pytest

from brainuad.evaluation.comparison import compare, paired_differences
from brainuad.evaluation.statistics import BootstrapSettings

BOOTSTRAP = BootstrapSettings(rounds=500, confidence=0.9, seed=3)
COLUMNS = ["method", "dataset", "modality", "metric", "fold", "subject", "value"]


def scores_of(values: dict[str, list[list[float]]], dataset: str = "mslub") -> pd.DataFrame:
    """Dice by method: a list of folds, each a list of the subjects' values."""
    rows = [
        (method, dataset, "t2", "dice", fold, f"s{subject}", value)
        for method, folds in values.items()
        for fold, subjects in enumerate(folds)
        for subject, value in enumerate(subjects)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def run(scores: pd.DataFrame, others: list[str], **changes) -> pd.DataFrame:
    settings = {"method": "a", "others": others, "metrics": ["dice"], "rounds": 100} | changes
    return compare(scores, bootstrap=BOOTSTRAP, **settings)


def test_comparison_by_hand():
    # Differences in the two folds: .1 and .3, .2 and .2, .3 and .5: the means are .2, .2, .4.
    scores = scores_of(
        {"a": [[0.4, 0.5, 0.6], [0.5, 0.5, 0.7]], "b": [[0.3, 0.3, 0.3], [0.2, 0.3, 0.2]]}
    )
    (row,) = run(scores, ["b"]).to_dict("records")
    assert row["difference"] == pytest.approx(0.8 / 3)
    # All differences have the same sign: two of the eight flips are as far out.
    assert row["p"] == row["p_corrected"] == 2 / 8
    assert row["ci_low"] == pytest.approx(0.2) and row["ci_high"] <= 0.4 + 1e-9
    assert row["subjects"] == 3
    assert (row["method"], row["other"], row["dataset"], row["modality"]) == (
        "a",
        "b",
        "mslub",
        "t2",
    )


def test_subjects_count_once_however_many_folds():
    one = scores_of({"a": [[0.4, 0.5, 0.6, 0.7]], "b": [[0.3, 0.3, 0.3, 0.3]]})
    five = scores_of({"a": [[0.4, 0.5, 0.6, 0.7]] * 5, "b": [[0.3, 0.3, 0.3, 0.3]] * 5})
    pd.testing.assert_frame_equal(run(one, ["b"]), run(five, ["b"]))


def test_pairs_are_by_subject_and_fold_not_by_row():
    scores = scores_of({"a": [[0.1, 0.2, 0.9]], "b": [[0.0, 0.1, 0.8]]})
    shuffled = scores.sample(frac=1, random_state=1)
    np.testing.assert_allclose(paired_differences(shuffled, "a", "b"), [0.1, 0.1, 0.1])


def test_undefined_scores_take_out_their_fold_on_both_sides():
    scores = scores_of(
        {"a": [[0.4, 0.5], [math.nan, 0.5]], "b": [[0.3, math.nan], [0.9, math.nan]]}
    )
    differences = paired_differences(scores, "a", "b")
    assert differences.to_dict() == {"s0": pytest.approx(0.1)}
    (row,) = run(scores, ["b"]).to_dict("records")
    assert math.isnan(row["p"]) and math.isnan(row["p_corrected"]) and row["subjects"] == 1


def test_correction_counts_all_tests_of_a_metric():
    values = {"a": [[0.4, 0.5, 0.6]], "b": [[0.1, 0.1, 0.1]], "c": [[0.2, 0.2, 0.2]]}
    scores = pd.concat([scores_of(values), scores_of(values, "wmh")])
    table = run(scores, ["b", "c"])
    assert table["p"].tolist() == [0.25] * 4
    assert table["p_corrected"].tolist() == [1.0] * 4
    both = pd.concat([scores, scores[scores["dataset"] == "wmh"].assign(metric="auprc")])
    table = run(both, ["b", "c"], metrics=["dice", "auprc"])
    assert table.query("metric == 'auprc'")["p_corrected"].tolist() == [0.5] * 2


def test_what_was_not_scored_has_no_row():
    scores = scores_of({"a": [[0.4, 0.5]], "b": [[0.3, 0.3]]})
    assert run(scores, ["a", "b", "unknown"])["other"].tolist() == ["b"]
    empty = run(scores, ["b"], metrics=["auprc"])
    assert empty.empty and "p_corrected" in empty


def test_a_subject_twice_in_a_fold_is_refused():
    scores = scores_of({"a": [[0.4, 0.5]], "b": [[0.3, 0.3]]})
    with pytest.raises(ValueError, match="one-to-one"):
        run(pd.concat([scores, scores]), ["b"])
