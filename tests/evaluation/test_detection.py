import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from small_report import texts_of, write_small_table

from brainuad.evaluation.detection import (
    auroc,
    false_positive_volumes,
    scan_detection,
)
from brainuad.evaluation.metrics import mean_residual
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.io.tables import write_table

BOOTSTRAP = BootstrapSettings(rounds=4000, confidence=0.9, seed=3)
COLUMNS = ["method", "dataset", "modality", "metric", "fold", "subject", "value"]


def scan_scores(values: dict[str, list[list[float]]], modality: str = "t1") -> pd.DataFrame:
    rows = [
        ("ae", dataset, modality, "mean_residual", fold, f"{dataset}{subject}", value)
        for dataset, folds in values.items()
        for fold, subjects in enumerate(folds)
        for subject, value in enumerate(subjects)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_mean_residual_by_hand():
    residual = np.array([[[0.1, 0.3, 9.0]]], dtype=np.float32)
    assert mean_residual(residual, np.array([[[1, 1, 0]]])) == pytest.approx(0.2)
    assert math.isnan(mean_residual(residual, np.zeros((1, 1, 3), dtype=bool)))


def test_auroc_by_hand():
    # 3 beats 1 and 2; 2 beats 1 and ties with 2.
    assert auroc(np.array([3.0, 2.0]), np.array([1.0, 2.0])) == 3.5 / 4
    assert math.isnan(auroc(np.array([]), np.array([1.0])))


def test_auroc_as_scikit_learn():
    generator = np.random.default_rng(1)
    # Whole numbers make ties.
    patients, healthy = generator.integers(2, 12, 70), generator.integers(0, 10, 50)
    labels = np.r_[np.ones(70), np.zeros(50)]
    expected = roc_auc_score(labels, np.r_[patients, healthy])
    assert auroc(patients, healthy) == pytest.approx(expected)
    assert auroc(healthy, patients) == pytest.approx(1 - expected)


def test_detection_by_hand():
    scores = scan_scores({"ixi": [[1, 2], [1, 2]], "wmh": [[3, 4], [1.5, 3]], "atlas": [[0], [0]]})
    table = scan_detection(scores, healthy=["ixi"], bootstrap=BOOTSTRAP).set_index("dataset")
    # First fold: all four pairs; second fold: 3 beats both, 1.5 beats one.
    wmh = table.loc["wmh"]
    assert wmh["mean"] == pytest.approx((1 + 0.75) / 2)
    assert wmh["sd"] == pytest.approx(0.25 / math.sqrt(2))
    assert (wmh["subjects"], wmh["healthy_subjects"], wmh["folds"]) == (2, 2, 2)
    # Each quarter of the draws has the same patient or the same healthy subject twice. The lowest
    # pair wins one of two folds (an eighth of the draws or more holds nothing but it or better).
    assert (wmh["ci_low"], wmh["ci_high"]) == (pytest.approx(0.5), pytest.approx(1.0))
    atlas = table.loc["atlas"]
    assert atlas["mean"] == 0 and math.isnan(atlas["ci_low"])


def test_interval_covers_the_mean_and_narrows_with_subjects():
    generator = np.random.default_rng(5)

    def width(count: int) -> float:
        scores = scan_scores(
            {"ixi": [generator.normal(0, 1, count)], "wmh": [generator.normal(1, 1, count)]}
        )
        (row,) = scan_detection(scores, healthy=["ixi"], bootstrap=BOOTSTRAP).to_dict("records")
        assert row["ci_low"] < row["mean"] < row["ci_high"]
        return row["ci_high"] - row["ci_low"]

    # Normal scores a deviation apart: the area is .76, its standard error (Hanley and McNeil 1982)
    # with 40 on each side .054, so that 90 % are 3.29 x .054 = .177 wide.
    assert 0.12 < width(40) < 0.24
    assert width(640) < 0.07


def test_modalities_are_not_mixed():
    scores = pd.concat(
        [
            scan_scores({"ixi": [[1.0, 1.0]], "wmh": [[2.0, 2.0]]}, "t1"),
            scan_scores({"ixi": [[5.0, 5.0]], "mslub": [[2.0, 2.0]]}, "t2"),
            scan_scores({"mine": [[7.0, 7.0]]}, "t2").assign(method="lone"),
        ]
    )
    table = scan_detection(scores, healthy=["ixi"], bootstrap=BOOTSTRAP)
    assert dict(zip(table["dataset"], table["mean"], strict=True)) == {"wmh": 1.0, "mslub": 0.0}


def test_each_modality_has_its_own_healthy_set():
    scores = pd.concat(
        [
            scan_scores({"ixi": [[1.0, 3.0]], "wmh": [[2.0, 2.0, 0.0]]}, "t1"),
            scan_scores({"hcp": [[5.0]], "mslub": [[6.0, 7.0]]}, "t2"),
        ]
    )
    table = scan_detection(scores, healthy=["ixi", "hcp"], bootstrap=BOOTSTRAP)
    columns = ["dataset", "modality", "mean", "healthy", "subjects", "healthy_subjects"]
    assert table[columns].to_numpy().tolist() == [
        ["wmh", "t1", pytest.approx(1 / 3), "ixi", 3, 2],
        ["mslub", "t2", 1.0, "hcp", 2, 1],
    ]


def test_a_subject_twice_in_a_fold_is_refused():
    scores = scan_scores({"ixi": [[1.0]], "wmh": [[2.0]]})
    with pytest.raises(ValueError, match="two scores"):
        scan_detection(pd.concat([scores, scores]), healthy=["ixi"], bootstrap=BOOTSTRAP)


def test_false_positive_volumes_by_hand():
    volumes = scan_scores({"ixi": [[0.0, 2.0, 10.0], [0.0, 4.0, 30.0]]}).assign(
        metric="predicted_volume_ml", fitted_on="wmh"
    )
    dices = volumes.assign(metric="dice", value=math.nan)
    (row,) = false_positive_volumes(pd.concat([volumes, dices]), BOOTSTRAP).to_dict("records")
    assert row["mean"] == pytest.approx((4 + 34 / 3) / 2)
    # The subjects' means are 0, 3 and 20.
    assert row["median_ml"] == 3
    assert row["percentile_95_ml"] == pytest.approx(3 + 0.9 * 17)
    assert row["share_clean"] == pytest.approx(2 / 6)
    assert (row["fitted_on"], row["subjects"]) == ("wmh", 3)


def test_no_scores_give_no_rows():
    empty = scan_scores({})
    assert scan_detection(empty, healthy=["ixi"], bootstrap=BOOTSTRAP).empty
    assert false_positive_volumes(empty.assign(fitted_on=""), BOOTSTRAP).empty
    assert false_positive_volumes(empty, BOOTSTRAP).empty


def write_scores(scores: pd.DataFrame, folder) -> dict[str, list]:
    """One file per data set and fold, and the lists that name them."""
    lists = {"scores": [], "methods": [], "folds": [], "datasets": []}
    for (method, dataset, fold), rows in scores.groupby(["method", "dataset", "fold"], sort=False):
        path = folder / method / f"{dataset}_{fold}.tsv"
        write_table(rows.drop(columns=["method", "dataset", "fold"]), path)
        for name, value in zip(lists, (path, method, fold, dataset), strict=True):
            lists[name].append(value)
    return lists


def test_table_by_hand(tmp_path):
    # In the first fold all four pairs are in order, in the second three.
    scores = scan_scores({"ixi": [[1, 2], [1, 2]], "wmh": [[3, 4], [1.5, 3]]})
    files = write_small_table(
        "detection", tmp_path, **write_scores(scores, tmp_path), healthy=["ixi"]
    )
    table, page, latex = texts_of(files)
    (row,) = table.to_dict("records")
    assert row["mean"] == pytest.approx(0.875) and row["healthy"] == "ixi"
    assert ">WMH T1<" in page and "87.5 " in page
    assert "Test subjects: 2 of WMH T1 against 2 of IXI T1." in page
    assert "does not prove that lesions are" in page and "95 % bootstrap" in page
    assert r"87.5 $\pm$ 17.7" in latex


@pytest.mark.parametrize("healthy", [[], ["ixi"]])
def test_nobody_to_compare_gives_a_table_without_rows(tmp_path, healthy):
    scores = scan_scores({"wmh": [[3.0, 4.0]]} if healthy else {})
    files = write_small_table(
        "detection", tmp_path, **write_scores(scores, tmp_path), healthy=healthy
    )
    table, page, _ = texts_of(files)
    assert table.empty and "healthy_subjects" in table
    assert "There are no scores" in page
