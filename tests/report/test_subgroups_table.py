"""The table of subgroups, from score files and tables of subjects to pages."""

import re

import pandas as pd
import pytest
from small_report import NO_SCORES, texts_of, write_small_table

from brainuad.io.tables import read_table, write_table

SCORES = ["subject", "session", "modality", "metric", "value"]
# Lesions of 1, 20 and 20 ml.
PEOPLE = pd.DataFrame(
    {
        "subject": ["001", "002", "003"],
        "session": "",
        "age": [30.0, None, 70.0],
        "sex": ["f", "m", "m"],
        "site": ["A & B", "A & B", "<Utrecht>"],
        "status": "ok",
    }
)


@pytest.fixture
def report(tmp_path):
    """WMH of two methods, the second .1 better; and MSLUB, of whose subjects nothing is known."""
    files = []
    for method, gain in (("ae", 0.0), ("cddpm", 0.1)):
        for dataset, modality in (("wmh", "t1"), ("mslub", "t2")):
            rows = [
                (subject, "", modality, metric, value)
                for subject, dice, volume in zip(
                    PEOPLE["subject"], (0.1, 0.3, 0.5), (1.0, 20.0, 20.0), strict=True
                )
                for metric, value in (
                    ("dice", dice + gain),
                    ("auprc", dice / 2),
                    ("lesion_volume_ml", volume),
                )
            ]
            path = tmp_path / method / f"{dataset}.tsv"
            write_table(pd.DataFrame(rows, columns=SCORES), path)
            files.append((path, method, 0, dataset))
    write_table(PEOPLE, tmp_path / "wmh.tsv")
    write_table(PEOPLE.assign(age=None, sex=None, site=None), tmp_path / "mslub.tsv")
    keys = ("scores", "methods", "folds", "datasets")
    lists = {key: [file[number] for file in files] for number, key in enumerate(keys)}
    subjects = [tmp_path / "wmh.tsv", tmp_path / "mslub.tsv"]
    write_small_table("subgroups", tmp_path, **lists, subjects=subjects)
    return tmp_path


def test_summary_by_hand(report):
    table = read_table(report / "subgroups.tsv")
    rows = table.set_index(["method", "dataset", "metric", "grouping", "group"])
    men = rows.loc[("cddpm", "wmh", "dice", "sex", "m")]
    assert men["mean"] == pytest.approx(0.5) and men["subjects"] == 2
    assert (men["ci_low"], men["ci_high"]) == (pytest.approx(0.4), pytest.approx(0.6))
    assert set(table.loc[table["dataset"] == "mslub", "grouping"]) == {"lesion volume"}
    assert set(table["metric"]) == {"dice", "auprc"}
    ages = table.loc[(table["grouping"] == "age") & (table["method"] == "ae"), "group"]
    assert ages.unique().tolist() == ["< 40 years", "\u2265 60 years"]


def test_page_by_hand(report):
    page = (report / "subgroups.html").read_text(encoding="utf-8")
    titles = re.findall("<h3>(.*?)</h3>", page)
    assert titles == ["WMH T1, Dice %", "WMH T1, AUPRC %", "MSLUB T2, Dice %", "MSLUB T2, AUPRC %"]
    wmh = page.split("<h3>")[1]
    headers = re.findall(r"<th[^>]*>([^<]+)</th>", wmh)
    assert [header for header in headers if header.strip() and header != "&nbsp;"] == [
        *("Subjects", "AE", "cDDPM"),
        *("Lesion volume", "&lt; 5 ml", "15 to 50 ml"),
        *("Age", "&lt; 40 years", "\u2265 60 years"),
        *("Sex", "female", "male"),
        *("Site", "&lt;Utrecht&gt;", "A &amp; B"),
    ]
    cells = re.findall(r"<td[^>]*>([\d.]+)", wmh)
    rows = [cells[start : start + 3] for start in range(0, len(cells), 3)]
    assert rows[:2] == [["1", "10.0", "20.0"], ["2", "40.0", "50.0"]]
    assert rows[-2:] == [["1", "50.0", "60.0"], ["2", "20.0", "30.0"]]
    # A lone subject has no interval.
    assert wmh.count('class="interval"') == 2 * 3
    assert '<span class="interval">[30.0, 50.0]</span>' in wmh and "95 % bootstrap" in page


def test_latex_by_hand(report):
    tex = (report / "subgroups.tex").read_text(encoding="utf-8")
    assert r"Age & $<$ 40 years & 1 & 10.0 & 20.0 \\" in tex
    assert r" & $\geq$ 60 years & 1 & 50.0 & 60.0 \\" in tex
    assert r" & A \& B & 2 & 20.0 & 30.0 \\" in tex
    assert tex.count(r"\bottomrule") == 4


@pytest.fixture
def false_positives(tmp_path):
    """Healthy subjects of the first data set at three thresholds."""
    rows = [
        (subject, "", "t1", fitted_on, "predicted_volume_ml", factor * volume)
        for subject, volume in zip(PEOPLE["subject"], (1.0, 2.0, 6.0), strict=True)
        for fitted_on, factor in (("wmh", 5), ("healthy_0.01", 1), ("healthy_0.05", 9))
    ]
    columns = ["subject", "session", "modality", "fitted_on", "metric", "value"]
    write_table(pd.DataFrame(rows, columns=columns), tmp_path / "scores.tsv")
    write_table(PEOPLE, tmp_path / "ixi.tsv")
    lists = {"scores": [tmp_path / "scores.tsv"], "methods": ["ae"], "folds": [0]}
    lists |= {"datasets": ["ixi"], "subjects": [tmp_path / "ixi.tsv"]}
    return texts_of(write_small_table("false_positives_by_group", tmp_path, **lists))


def test_false_positives_by_group_at_the_threshold_of_one_per_cent(false_positives):
    table, page, tex = false_positives
    found = table.set_index(["grouping", "group"])["mean"]
    assert found[("sex", "f")] == 1 and found[("sex", "m")] == pytest.approx((2 + 6) / 2)
    assert found[("age", "\u2265 60 years")] == 6
    assert set(table["grouping"]) == {"age", "sex", "site"}
    assert re.findall("<h3>(.*?)</h3>", page) == ["IXI T1, Called anomalous (ml)"]
    assert tex.startswith("% IXI T1, Called anomalous (ml)\n")


@pytest.mark.parametrize("name", ["subgroups", "false_positives_by_group"])
def test_no_files_give_a_table_without_rows(name, tmp_path):
    table, page, tex = texts_of(write_small_table(name, tmp_path, **NO_SCORES, subjects=[]))
    assert table.empty and {"grouping", "group", "mean"} <= set(table.columns)
    assert "There are no scores" in page and tex.startswith("% There are no")
