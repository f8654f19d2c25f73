import math

import pandas as pd
from small_report import LABELS
from small_scores import scores_of, summary_of

from brainuad.evaluation import summaries
from brainuad.report import metric_formats
from brainuad.report.labels import Labels
from brainuad.report.tables import layout as report_tables


def test_one_fold_has_no_spread():
    summary = summary_of(scores_of([0.2, 0.4]))
    assert math.isnan(summary.loc[0, "sd"])
    html = report_tables.html_table(summary, metrics=["dice"], labels=LABELS)
    assert '>30.0<span class="interval">' in html and "\u00b1" not in html


def test_best_is_bold_ties_as_shown_included():
    summary = summary_of(
        scores_of([0.50001], method="ddpm"),
        scores_of([0.50002], method="cddpm"),
        scores_of([0.1], method="thresh"),
    )
    _, best = report_tables.arrange(
        summary, metrics=["dice"], labels=LABELS, cell=lambda record: "", extra=None
    )
    assert best.iloc[:, 0].to_dict() == {"DDPM": True, "cDDPM": True, "Thresh": False}


def test_lower_l1_is_better():
    summary = summary_of(
        scores_of([0.02], method="ddpm", metric="l1"),
        scores_of([0.01], method="cddpm", metric="l1"),
        metrics=["l1"],
    )
    latex = report_tables.latex_table(summary, metrics=["l1"], labels=LABELS)
    assert r"\textbf{10.0}" in latex
    assert r"\textbf{20.0}" not in latex
    assert "l1 ($10^{-3}$)" in latex


def test_a_lone_method_is_the_best_of_nothing():
    table = report_tables.html_table(summary_of(scores_of([0.4])), metrics=["dice"], labels=LABELS)
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
        labels=LABELS,
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
        summary, metrics=["dice"], labels=LABELS, cell=lambda record: "", extra="gamma"
    )
    assert best.index.tolist() == [
        ("\u03b3 = 0.5", "DDPM"),
        ("\u03b3 = 0.5", "cDDPM"),
        ("\u03b3 = 2", "DDPM"),
        ("\u03b3 = 2", "cDDPM"),
    ]
    assert best.iloc[:, 0].tolist() == [True, False, False, True]


def test_latex_needs_booktabs_and_escapes_names():
    latex = report_tables.latex_table(
        summary_of(scores_of([0.2, 0.4], method="my_method")), metrics=["dice"], labels=LABELS
    )
    assert r"my\_method" in latex
    assert r"Dice \%" in latex
    assert latex.count(r"\toprule") == latex.count(r"\bottomrule") == 1
    assert r"\shortstack{30.0\\{\scriptsize [" in latex


def test_labels_are_shown_as_they_stand():
    labels = Labels({"mine": "a < b & $c"}, {}, {"brats21": "B & B"}, several=[])
    shown = {"metrics": ["dice"], "labels": labels}
    summary = summary_of(scores_of([0.2, 0.4], method="mine"))
    page = report_tables.html_table(summary, **shown)
    assert ">a &lt; b &amp; $c<" in page and ">B &amp; B T2<" in page
    latex = report_tables.latex_table(summary, **shown)
    assert r"a $<$ b \& \$c" in latex and r"B \& B T2" in latex


def test_no_scores_are_said_in_words():
    empty = summary_of(scores_of([0.2])).iloc[:0]
    assert "no scores" in report_tables.html_table(empty, metrics=["dice"], labels=LABELS)
    assert report_tables.latex_table(empty, metrics=["dice"], labels=LABELS).startswith("%")


def test_plain_table_escapes_its_content():
    table = report_tables.plain_table(pd.DataFrame({"Reason": ["a <b> & c", None]}))
    assert "a &lt;b&gt; &amp; c" in table
    assert "None" not in table


def test_a_difference_stands_in_place_of_the_interval():
    frames = [
        scores_of(values, dataset=dataset).assign(variant=variant)
        for dataset in ("wmh", "mslub")
        for variant, values in (("all", [0.2, 0.4]), ("less", [0.1, 0.3]))
    ]
    summary = summaries.with_average(summary_of(*frames, extra=["variant"]))
    table = summaries.with_difference(summary, extra="variant", reference="all")
    page = report_tables.html_table(table, metrics=["dice"], labels=LABELS, extra="variant")
    # Two data sets and their mean, all of which lose a tenth.
    assert page.count('<span class="interval">\u221210.0</span>') == 3
    assert page.count('<span class="interval">[20.0, 40.0]</span>') == 2
    assert "[10.0, 30.0]" not in page
    latex = report_tables.latex_table(table, metrics=["dice"], labels=LABELS, extra="variant")
    assert r"\shortstack{20.0\\{\scriptsize $-$10.0}}" in latex
    assert r"\shortstack{20.0\\{\scriptsize $-$10.0}}" in latex


def test_a_table_is_laid_out_by_its_labels():
    summary = summary_of(
        scores_of([0.02], method="a", metric="l1"),
        scores_of([0.01], method="b", metric="l1"),
        scores_of([0.03], method="c", metric="l1"),
        metrics=["l1"],
    )
    a, b, c = ("first", "a"), ("first", "b"), ("second", "c")
    texts, best = report_tables.lay_out(
        summary.assign(row=[a, b, c], column=[("x", "y")] * 3),
        rows=[c, b, a],
        columns=[("x", "z"), ("x", "y")],
        cell=lambda record: f"{record['mean']:.2f}{'*' * record['best']}",
    )
    # A column without a number has gone; c stands alone in its block.
    assert texts.columns.tolist() == [("x", "y")]
    assert texts.index.tolist() == [c, b, a]
    assert texts["x", "y"].tolist() == ["0.03", "0.01*", "0.02"]
    assert best["x", "y"].tolist() == [False, True, False]
