import math
from pathlib import Path

import pandas as pd
import pytest

from brainuad.evaluation.paper import DIVISORS, compare_with_paper, in_our_units
from brainuad.io.tables import read_table

PAPER = Path(__file__).parents[2] / "resources" / "paper"
KEYS = ["method", "dataset", "modality", "metric"]


def printed(name: str) -> pd.DataFrame:
    return read_table(PAPER / f"{name}.tsv")


def test_tables_are_whole():
    segmentation = printed("segmentation")
    assert segmentation["method"].nunique() == 13
    # 13 methods, four data sets, two metrics, each once.
    assert len(segmentation) == len(segmentation.drop_duplicates(KEYS)) == 13 * 4 * 2
    reconstruction = printed("reconstruction")
    assert len(reconstruction) == len(reconstruction.drop_duplicates(KEYS)) == 7 * (4 + 4)
    for name in ("segmentation", "reconstruction", "independent_rerun", "claims"):
        assert set(printed(name)["unit"]) <= set(DIVISORS)


@pytest.mark.parametrize(
    ("name", "column", "total"),
    # Column sums, added up from the preprint's tables.
    [
        ("segmentation", ("brats21", "dice"), 526.25),
        ("segmentation", ("wmh", "auprc"), 86.17),
        ("reconstruction", ("ixi", "ssim"), 615.03),
        ("reconstruction", ("ixi", "l1"), 134.88),
        ("reconstruction", ("wmh", "l1_ratio"), 19.06),
    ],
)
def test_sums_of_columns(name, column, total):
    table = printed(name)
    chosen = table[(table["dataset"] == column[0]) & (table["metric"] == column[1])]
    assert chosen["value"].sum() == pytest.approx(total, abs=1e-6)


def test_units():
    values = in_our_units(pd.Series([19.69, 8.14, 36.69, 2.3]), pd.Series(["%", "1e-3", "dB", "1"]))
    assert values.tolist() == pytest.approx([0.1969, 0.00814, 36.69, 2.3])


def test_ours_beside_the_paper():
    ours = pd.DataFrame(
        [
            ("cddpm", "brats21", "t2", "dice", 0.5, 0.01, 5),
            ("mine", "wmh", "t1", "dice", 0.5, 0.01, 5),
            ("cddpm", "wmh", "t1", "dice", 0.12, 0.01, 5),
            ("cddpm", "wmh", "t1", "precision", 0.3, 0.02, 5),
        ],
        columns=[*KEYS, "mean", "sd", "folds"],
    )
    table = compare_with_paper(ours, printed("segmentation"), printed("independent_rerun"))
    assert table.columns.tolist() == [*KEYS, "paper", "rerun", "ours", "sd", "difference"]
    assert len(table) == 104
    row = table.set_index(KEYS).loc[("cddpm", "brats21", "t2", "dice")]
    assert row[["paper", "rerun", "ours", "sd"]].tolist() == pytest.approx(
        [0.5134, 0.4146, 0.5, 0.01]
    )
    assert row["difference"] == pytest.approx(-0.0134)
    not_rerun = table.set_index(KEYS).loc[("cddpm", "wmh", "t1", "dice")]
    assert not_rerun["difference"] == pytest.approx(0.0206) and math.isnan(not_rerun["rerun"])
    absent = table.set_index(KEYS).loc[("ae", "wmh", "t1", "dice")]
    assert math.isnan(absent["ours"]) and math.isnan(absent["difference"])
    assert "mine" not in set(table["method"])
    # The l1-ratio has two definitions, and the paper one number.
    ratios = ours.iloc[:2].assign(metric=["l1_ratio", "l1_ratio_released"], method="ae")
    ratios = ratios.assign(dataset="wmh", modality="t1", mean=[2.0, 4.0])
    beside = compare_with_paper(ratios, printed("reconstruction"), printed("independent_rerun"))
    assert len(beside) == 7 * (4 + 4 + 4)
    both = beside[(beside["method"] == "ae") & (beside["dataset"] == "wmh")]
    assert both["metric"].tolist() == ["l1_ratio", "l1_ratio_released"]
    assert both["paper"].tolist() == [2.36, 2.36]
    assert both["difference"].tolist() == pytest.approx([-0.36, 1.64])
    # Every number of the rerun has its place, whether it was measured here or not.
    everything = pd.concat([printed("segmentation"), printed("reconstruction")])
    whole = compare_with_paper(ours, everything, printed("independent_rerun")).set_index(KEYS)[
        "rerun"
    ]
    assert whole.count() == len(printed("independent_rerun")) == 5
    assert whole["cddpm", "ixi", "t2", "l1"] == pytest.approx(0.01486)
    assert whole["cddpm", "mslub", "t2", "auprc"] == pytest.approx(0.0538)


def test_a_number_of_ours_twice_is_refused():
    row = pd.DataFrame(
        [("cddpm", "wmh", "t1", "dice", 0.12, 0.01)] * 2, columns=[*KEYS, "mean", "sd"]
    )
    with pytest.raises(pd.errors.MergeError):
        compare_with_paper(row, printed("segmentation"), printed("independent_rerun"))
