"""The table of lesions, from the files of scores and lesions to a page."""

import re

import pandas as pd
import pytest
from small_report import NO_SCORES, texts_of, write_small_table

from brainuad.io.tables import write_table

SCAN = ["subject", "session", "modality"]


@pytest.fixture
def table(tmp_path):
    """Two methods on MSLUB and on WMH, whose only test scan has no lesion.

    Of MSLUB's two patients one has lesions of .05 and 2 ml, the other one of .05 ml; the first
    method finds the large one, the second all.
    """
    files = []
    for method, finds_small in (("ae", 0), ("cddpm_ens", 1)):
        for dataset, modality in (("mslub", "t2"), ("wmh", "t1")):
            found = {"a": (1 + finds_small) / 2, "b": float(finds_small)}
            if dataset == "wmh":
                found = {"c": None}
            rows = [
                (subject, "", modality, metric, value)
                for subject, sensitivity in found.items()
                for metric, value in (
                    ("dice", 0.5),
                    ("lesion_sensitivity", sensitivity),
                    ("lesion_f1", sensitivity),
                    ("false_positive_components", 2 + finds_small),
                )
            ]
            scores = tmp_path / "scores" / method / f"{dataset}.tsv"
            write_table(pd.DataFrame(rows, columns=[*SCAN, "metric", "value"]), scores)
            lesions = pd.DataFrame(
                [("a", 1, 2.0, 1), ("a", 2, 0.05, finds_small), ("b", 1, 0.05, finds_small)],
                columns=["subject", "lesion", "volume_ml", "detected"],
            )
            lesions = lesions.assign(session="", modality=modality, overlap=0.5, maximum=0.3)
            path = tmp_path / "lesions" / method / f"{dataset}.tsv"
            write_table(lesions[: 0 if dataset == "wmh" else None], path)
            files.append((scores, path, method, 0, dataset))
    keys = ("scores", "lesions", "methods", "folds", "datasets")
    lists = {key: [file[number] for file in files] for number, key in enumerate(keys)}
    return texts_of(write_small_table("lesions", tmp_path, **lists))


def test_numbers(table):
    tidy, _, _ = table
    found = tidy.set_index(["method", "dataset", "metric", "size"])
    whole = found.loc[("ae", "mslub", "lesion_sensitivity", "any")]
    assert (whole["mean"], whole["subjects"], whole["lesions"]) == (0.25, 2, 3)
    large = found.loc[("ae", "mslub", "lesion_sensitivity", "1 to 10 ml")]
    assert (large["mean"], large["subjects"], large["lesions"]) == (1, 1, 1)
    small = found.loc[("cddpm_ens", "mslub", "lesion_sensitivity", "< 0.1 ml")]
    assert (small["mean"], small["subjects"], small["lesions"]) == (1, 2, 2)
    assert "dice" not in set(tidy["metric"])


def test_page_by_hand(table):
    _, page, _ = table
    assert re.findall("<h3>(.*?)</h3>", page) == ["MSLUB T2", "WMH T1"]
    mslub, wmh = page.split("<h3>")[1:]
    found = re.findall(r"<th[^>]*>([^<]+)</th>", mslub)
    headers = [text.replace("&nbsp;", " ") for text in found if text != "&nbsp;"]
    assert headers == [
        *("Any size (3)", "Sensitivity % by volume of the lesion"),
        *("Lesion sensitivity %", "Lesion F1 %", "False positives per scan"),
        *("&lt; 0.1 ml (2)", "1 to 10 ml (1)"),
        *("AE", "cDDPM ENS"),
    ]
    cells = [re.findall(r"<td[^>]*>([\d.\u2013]+)", part) for part in (mslub, wmh)]
    assert cells[0] == [
        *("25.0", "25.0", "2.0", "0.0", "100.0"),
        *("100.0", "100.0", "3.0", "100.0", "100.0"),
    ]
    assert cells[1] == ["\u2013", "\u2013", "2.0", "\u2013", "\u2013", "3.0"]
    assert "at least 10 % of it" in page


def test_latex(table):
    tex = table[2]
    assert tex.count(r"\bottomrule") == 2 and tex.startswith("% MSLUB T2\n")
    assert r"$<$ 0.1 ml (2)" in tex and r"Lesion sensitivity \%" in tex


def test_no_files_give_a_table_without_rows(tmp_path):
    table, page, tex = texts_of(write_small_table("lesions", tmp_path, **NO_SCORES, lesions=[]))
    assert table.empty and {"metric", "size", "mean", "lesions"} <= set(table.columns)
    assert "There are no scores" in page and tex.startswith("% There are no")
