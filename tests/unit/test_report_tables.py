import math

import pandas as pd
import pytest

from brainuad import metric_formats, names, report_tables, score_tables
from brainuad.metric_formats import METRICS
from brainuad.names import dataset_name, method_name
from brainuad.statistics import BootstrapSettings
from brainuad.tables import read_table, write_table

BOOTSTRAP = BootstrapSettings(rounds=200, confidence=0.95, seed=3)


def scores_of(values, *, method="cddpm_ens", fold=0, dataset="brats21", metric="dice"):
    return pd.DataFrame(
        {
            "method": method,
            "fold": fold,
            "dataset": dataset,
            "modality": "t2",
            "subject": [f"s{place}" for place in range(len(values))],
            "metric": metric,
            "value": values,
        }
    )


def summary_of(*frames, metrics=("dice",), **more):
    return score_tables.summarize_scores(
        pd.concat(frames, ignore_index=True), metrics=metrics, bootstrap=BOOTSTRAP, **more
    )


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("thresh", "Thresh"),
        ("ddpm_ens", "DDPM ENS"),
        ("cddpm_ssl_ens", "cDDPM SSL ENS"),
        ("anogan", "AnoGAN"),
        ("pddpm_ens", "pDDPM ENS"),
        ("mine", "mine"),
        ("mine_ens", "mine ENS"),
    ],
)
def test_method_names(method, name):
    assert method_name(method) == name


def test_dataset_names():
    assert dataset_name("brats21", "t2") == "BraTS21 T2"
    assert dataset_name("local") == "local"


def test_mean_and_spread_by_hand():
    # Fold means are .3 and .5: mean .4, sample sd .2 / sqrt(2); subjects' means are .25 and .55.
    row = summary_of(scores_of([0.2, 0.4]), scores_of([0.3, 0.7], fold=1)).iloc[0]
    assert row["mean"] == pytest.approx(0.4)
    assert row["sd"] == pytest.approx(0.2 / math.sqrt(2))
    assert (row["folds"], row["subjects"]) == (2, 2)
    # A resampled mean of two subjects is .25, .4 or .55, with weights 1/4, 1/2, 1/4.
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.25, 0.55))


def test_one_fold_has_no_spread_and_is_shown_as_a_dash():
    summary = summary_of(scores_of([0.2, 0.4]))
    assert math.isnan(summary.loc[0, "sd"])
    assert '30.0 <span class="spread">\u00b1 \u2013</span>' in report_tables.html_table(
        summary, metrics=["dice"]
    )


def test_columns_are_those_promised():
    columns = ["method", "dataset", "modality", "metric", "mean", "sd", "ci_low", "ci_high"]
    assert summary_of(scores_of([0.2])).columns.tolist() == [*columns, "folds", "subjects"]
    contrast = summary_of(scores_of([0.2]).assign(gamma=2.0), extra=["gamma"])
    assert contrast.columns.tolist()[3:5] == ["gamma", "metric"]


def test_undefined_scores_do_not_count():
    row = summary_of(scores_of([0.2, math.nan, 0.4])).iloc[0]
    assert row["mean"] == pytest.approx(0.3)
    assert row["subjects"] == 2


def test_best_is_bold_ties_as_shown_included():
    summary = summary_of(
        scores_of([0.50001], method="ddpm"),
        scores_of([0.50002], method="cddpm"),
        scores_of([0.1], method="thresh"),
    )
    _, best = report_tables.arrange(summary, metrics=["dice"], cell=lambda record: "", extra=None)
    assert best.iloc[:, 0].to_dict() == {"DDPM": True, "cDDPM": True, "Thresh": False}


def test_lower_l1_is_better():
    summary = summary_of(
        scores_of([0.02], method="ddpm", metric="l1"),
        scores_of([0.01], method="cddpm", metric="l1"),
        metrics=["l1"],
    )
    latex = report_tables.latex_table(summary, metrics=["l1"])
    assert r"\textbf{10.0}" in latex
    assert r"\textbf{20.0}" not in latex
    assert "l1 ($10^{-3}$)" in latex


def test_a_lone_method_is_the_best_of_nothing():
    table = report_tables.html_table(summary_of(scores_of([0.4])), metrics=["dice"])
    assert "best" not in table


def test_a_method_without_scores_on_a_set_has_a_dash():
    summary = summary_of(
        scores_of([0.4], method="ddpm"),
        scores_of([0.5], method="cddpm"),
        scores_of([0.6], method="cddpm", dataset="mslub"),
    )
    texts, _ = report_tables.arrange(
        summary,
        metrics=["dice"],
        cell=lambda record: metric_formats.number(record["mean"], "dice"),
        extra=None,
    )
    assert texts.loc["DDPM"].tolist() == ["40.0", "\u2013"]
    assert texts.loc["cDDPM"].tolist() == ["50.0", "60.0"]
    assert texts.columns.tolist() == [("BraTS21 T2", "Dice %"), ("MSLUB T2", "Dice %")]


def test_best_is_chosen_within_a_contrast():
    frames = [
        scores_of([value], method=method).assign(gamma=gamma)
        for method, gamma, value in (
            ("ddpm", 0.5, 0.9),
            ("cddpm", 0.5, 0.8),
            ("ddpm", 2.0, 0.2),
            ("cddpm", 2.0, 0.3),
        )
    ]
    summary = summary_of(*frames, extra=["gamma"])
    _, best = report_tables.arrange(
        summary, metrics=["dice"], cell=lambda record: "", extra="gamma"
    )
    assert best.index.tolist() == [
        ("\u03b3 = 0.5", "DDPM"),
        ("\u03b3 = 0.5", "cDDPM"),
        ("\u03b3 = 2", "DDPM"),
        ("\u03b3 = 2", "cDDPM"),
    ]
    assert best.iloc[:, 0].tolist() == [True, False, False, True]


def test_average_is_the_plain_mean_over_data_sets():
    summary = score_tables.with_average(
        summary_of(scores_of([0.2, 0.2, 0.2]), scores_of([0.6], dataset="mslub"))
    )
    average = summary[summary["dataset"] == names.AVERAGE]
    assert average["mean"].tolist() == pytest.approx([0.4])
    one = summary_of(scores_of([0.2]))
    assert score_tables.with_average(one) is one


def test_latex_needs_booktabs_and_escapes_names():
    latex = report_tables.latex_table(
        summary_of(scores_of([0.2, 0.4], method="my_method")), metrics=["dice"]
    )
    assert r"my\_method" in latex
    assert r"Dice \%" in latex
    assert latex.count(r"\toprule") == latex.count(r"\bottomrule") == 1
    assert r"30.0 $\pm$ --" in latex


def test_no_scores_are_said_in_words():
    empty = summary_of(scores_of([0.2])).iloc[:0]
    assert "no scores" in report_tables.html_table(empty, metrics=["dice"])
    assert report_tables.latex_table(empty, metrics=["dice"]).startswith("%")


def test_plain_table_escapes_its_content():
    table = report_tables.plain_table(pd.DataFrame({"Reason": ["a <b> & c", None]}))
    assert "a &lt;b&gt; &amp; c" in table
    assert "None" not in table


def test_gathering_keeps_origin_and_checks_lengths(tmp_path):
    path = tmp_path / "brats21.tsv"
    write_table(pd.DataFrame({"subject": ["007"], "metric": ["dice"], "value": [0.5]}), path)
    gathered = score_tables.gather_scores([path], methods=["ddpm"], folds=[2], datasets=["brats21"])
    assert gathered.loc[0, ["subject", "method", "fold", "dataset"]].tolist() == [
        "007",
        "ddpm",
        2,
        "brats21",
    ]
    with pytest.raises(ValueError, match="zip"):
        score_tables.gather_scores([path], methods=[], folds=[2], datasets=["brats21"])


def test_no_file_at_all_gives_tables_without_rows(tmp_path):
    gathered = score_tables.gather_scores([], methods=[], folds=[], datasets=[])
    summary = summary_of(gathered, extra=["gamma"])
    assert summary.empty and summary.columns.tolist()[3:6] == ["gamma", "metric", "mean"]
    files = {"tsv": tmp_path / "t.tsv", "html_path": tmp_path / "t.html", "tex": tmp_path / "t.tex"}
    report_tables.write_results(
        score_tables.with_average(summary), metrics=["dice"], title="A", note="", **files
    )
    assert read_table(files["tsv"]).columns.tolist() == summary.columns.tolist()
    assert "There are no scores" in files["html_path"].read_text(encoding="utf-8")


def test_written_files_hold_fractions_and_per_cent(tmp_path):
    summary = score_tables.with_average(
        summary_of(scores_of([0.2, 0.4]), scores_of([0.5, 0.5], dataset="mslub"))
    )
    files = {"tsv": tmp_path / "t.tsv", "html_path": tmp_path / "t.html", "tex": tmp_path / "t.tex"}
    report_tables.write_results(summary, metrics=["dice"], title="A & B", note="", **files)
    tidy = read_table(files["tsv"])
    assert tidy["dataset"].tolist() == ["brats21", "mslub"]
    assert tidy["mean"].tolist() == pytest.approx([0.3, 0.5])
    page = files["html_path"].read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "A &amp; B" in page
    assert "30.0" in page and "40.0" in page and "http" not in page


def test_every_metric_says_how_it_is_shown():
    assert METRICS["psnr"].scale == 1
    assert metric_formats.number(0.01429, "l1") == "14.3"
    assert metric_formats.number(7.434, "l1_ratio") == "7.43"
    assert metric_formats.number(0.00011, "lpips") == "0.11"
    assert metric_formats.number(math.nan, "dice") == "\u2013"


def test_a_difference_has_its_sign():
    assert metric_formats.signed(0.0123, "dice") == "+1.2"
    assert metric_formats.signed(-0.0123, "dice") == "\u22121.2"
    assert metric_formats.signed(math.nan, "dice") == "\u2013"
