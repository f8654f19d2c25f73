import math

import pandas as pd
import pytest
from small_scores import scores_of, summary_of

from brainuad.evaluation import summaries
from brainuad.io.tables import write_table


def test_mean_and_spread_by_hand():
    # Fold means are .3 and .5: mean .4, sample sd .2 / sqrt(2); subjects' means are .25 and .55.
    row = summary_of(scores_of([0.2, 0.4]), scores_of([0.3, 0.7], fold=1)).iloc[0]
    assert row["mean"] == pytest.approx(0.4)
    assert row["sd"] == pytest.approx(0.2 / math.sqrt(2))
    assert (row["folds"], row["subjects"]) == (2, 2)
    # A resampled mean of two subjects is .25, .4 or .55, with weights 1/4, 1/2, 1/4.
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.25, 0.55))


def test_columns_are_those_promised():
    columns = ["method", "dataset", "modality", "metric", "mean", "sd", "ci_low", "ci_high"]
    assert summary_of(scores_of([0.2])).columns.tolist() == [*columns, "folds", "subjects"]
    contrast = summary_of(scores_of([0.2]).assign(gamma=2.0), extra=["gamma"])
    assert contrast.columns.tolist()[3:5] == ["gamma", "metric"]


def test_undefined_scores_do_not_count():
    row = summary_of(scores_of([0.2, math.nan, 0.4])).iloc[0]
    assert row["mean"] == pytest.approx(0.3)
    assert row["subjects"] == 2


def test_average_is_the_plain_mean_over_data_sets():
    summary = summaries.with_average(
        summary_of(scores_of([0.2, 0.2, 0.2]), scores_of([0.6], dataset="mslub"))
    )
    average = summary[summary["dataset"] == summaries.AVERAGE]
    assert average["mean"].tolist() == pytest.approx([0.4])
    one = summary_of(scores_of([0.2]))
    assert summaries.with_average(one) is one


def test_gathering_keeps_origin_and_checks_lengths(tmp_path):
    path = tmp_path / "brats21.tsv"
    write_table(pd.DataFrame({"subject": ["007"], "metric": ["dice"], "value": [0.5]}), path)
    gathered = summaries.gather_scores([path], methods=["ddpm"], folds=[2], datasets=["brats21"])
    assert gathered.loc[0, ["subject", "method", "fold", "dataset"]].tolist() == [
        "007",
        "ddpm",
        2,
        "brats21",
    ]
    with pytest.raises(ValueError, match="zip"):
        summaries.gather_scores([path], methods=[], folds=[2], datasets=["brats21"])


def test_no_file_at_all_gives_a_summary_without_rows():
    gathered = summaries.gather_scores([], methods=[], folds=[], datasets=[])
    summary = summary_of(gathered, extra=["timestep", "share"])
    assert summary.empty
    assert summary.columns.tolist()[3:7] == ["timestep", "share", "metric", "mean"]
    assert summaries.with_average(summary) is summary


def test_differences_to_a_reference_by_hand():
    frames = [
        scores_of([value], method=method, dataset=dataset).assign(variant=variant)
        for method, dataset, variant, value in (
            ("ddpm", "wmh", "less", 0.3),
            ("ddpm", "wmh", "all", 0.4),
            ("ddpm", "mslub", "all", 0.1),
            ("ddpm", "mslub", "less", 0.15),
            ("cddpm", "mslub", "less", 0.5),
        )
    ]
    summary = summaries.with_average(summary_of(*frames, extra=["variant"]))
    table = summaries.with_difference(summary, extra="variant", reference="all")
    found = table.set_index(["method", "dataset", "variant"])["difference"]
    assert found["ddpm", "wmh", "less"] == pytest.approx(-0.1)
    assert found["ddpm", "mslub", "less"] == pytest.approx(0.05)
    # The means over both data sets are .225 and .25.
    assert found["ddpm", "average", "less"] == pytest.approx(-0.025)
    assert found[:, :, "all"].isna().all()
    # Nothing to compare with.
    assert math.isnan(found["cddpm", "mslub", "less"])


def test_no_summary_has_no_differences():
    empty = summary_of(summaries.gather_scores([], methods=[], folds=[], datasets=[]), extra=["a"])
    table = summaries.with_difference(empty, extra="a", reference="all")
    assert table.empty and "difference" in table
