"""Tables and figure of thresholds, from score files to pages."""

import xml.etree.ElementTree as ElementTree

import pandas as pd
import pytest
from figure_checks import drawn_twice
from small_report import NO_SCORES, texts_of, write_small_figure, write_small_table

from brainuad.io.tables import write_table

COLUMNS = ["subject", "modality", "fitted_on", "metric", "value"]
# The Dice of two subjects, .05 below and above these means.
DICES = {
    ("wmh", "wmh"): 0.4,
    ("wmh", "atlas"): 0.1,
    ("wmh", "test"): 0.5,
    ("atlas", "wmh"): 0.7,
    ("atlas", "atlas"): 0.6,
    ("atlas", "test"): 0.75,
}


def lists_of(files):
    keys = ("scores", "methods", "folds", "datasets")
    return {key: [file[number] for file in files] for number, key in enumerate(keys)}


@pytest.fixture
def calibration(tmp_path):
    """Two methods, the second ten points better, of which WMH has no best threshold."""
    files = []
    for method, gain in (("ae", 0.0), ("cddpm_ens", 0.1)):
        for dataset in ("wmh", "atlas"):
            rows = [
                (f"s{number}", "t1", fitted_on, metric, mean + shift + gain)
                for (place, fitted_on), mean in DICES.items()
                for number, shift in enumerate((-0.05, 0.05))
                for metric in ("dice", "predicted_volume_ml")
                if place == dataset and (method, dataset, fitted_on) != ("cddpm_ens", "wmh", "test")
            ]
            path = tmp_path / method / f"{dataset}.tsv"
            write_table(pd.DataFrame(rows, columns=COLUMNS), path)
            files.append((path, method, 0, dataset))
    return write_small_table("calibration", tmp_path, **lists_of(files))


def table_rows(page, number):
    """The rows of one table of a page, each as the texts of its cells, headers included."""
    table = page.split("<table")[number + 1].split("</table>")[0]
    root = ElementTree.fromstring(f"<table{table}</table>".replace("&nbsp;", " "))
    rows = [["".join(cell.itertext()).strip() for cell in row] for row in root.iter("tr")]
    return [[cell for cell in row if cell] for row in rows]


def test_calibration_by_hand(calibration):
    table, page, tex = texts_of(calibration)
    table = table.set_index(["method", "dataset", "fitted_on"])
    row = table.loc[("ae", "wmh", "atlas")]
    assert row["mean"] == pytest.approx(0.1) and row["to_own"] == pytest.approx(-0.3)
    assert (row["metric"], row["subjects"], len(table)) == ("dice", 2, 11)
    fitted_and_best = table_rows(page, 0)
    assert fitted_and_best[0] == ["WMH T1", "ATLAS T1"]
    assert fitted_and_best[2:] == [
        ["AE", "40.0", "50.0", "\u221210.0", "60.0", "75.0", "\u221215.0"],
        ["cDDPM ENS", "50.0", "\u2013", "\u2013", "70.0", "85.0", "\u221215.0"],
    ]
    assert table_rows(page, 1)[2:] == [
        ["AE", "Threshold of WMH", "40.0", "70.0 (+10.0)"],
        ["Threshold of ATLAS", "10.0 (\u221230.0)", "60.0"],
        ["Best on test", "50.0 (+10.0)", "75.0 (+15.0)"],
        ["cDDPM ENS", "Threshold of WMH", "50.0", "80.0 (+10.0)"],
        ["Threshold of ATLAS", "20.0 (\u221230.0)", "70.0"],
        ["Best on test", "\u2013", "85.0 (+15.0)"],
    ]
    assert r"cDDPM ENS & 50.0 & -- & -- & 70.0 & 85.0 & $-$15.0" in tex
    assert r"Threshold of ATLAS & 10.0 ($-$30.0) & 60.0" in tex


def test_false_positives_by_hand(tmp_path):
    files = []
    for fold, volumes in enumerate(([0.0, 2.0, 10.0], [0.0, 4.0, 30.0])):
        rows = [
            (f"s{number}", modality, fitted_on, "predicted_volume_ml", factor * volume)
            for number, volume in enumerate(volumes)
            for modality, fitted_on, factor in (("t1", "wmh", 1), ("t2", "mslub", 2))
        ]
        path = tmp_path / f"{fold}.tsv"
        write_table(pd.DataFrame(rows, columns=COLUMNS), path)
        files.append((path, "cddpm", fold, "ixi"))
    table, page, tex = texts_of(write_small_table("false_positives", tmp_path, **lists_of(files)))
    table = table.set_index(["modality", "fitted_on"])
    # The folds' means are 4 and 34/3; the subjects' means 0, 3 and 20.
    assert table.loc[("t1", "wmh"), "mean"] == pytest.approx((4 + 34 / 3) / 2)
    assert table.loc[("t2", "mslub"), "percentile_95_ml"] == pytest.approx(2 * (3 + 0.9 * 17))
    assert table_rows(page, 0)[0] == ["IXI T1"] and table_rows(page, 1)[0] == ["IXI T2"]
    row = table_rows(page, 0)[2]
    assert row[:2] == ["Threshold of WMH", "cDDPM"]
    assert row[2].startswith("7.7 \u00b1 5.2") and row[3:] == ["3.0", "18.3", "33"]
    assert "over 3 subjects" in page and "95 % bootstrap" in page
    assert r"7.7 $\pm$ 5.2\\{\scriptsize" in tex and r"& 3.0 & 18.3 & 33 \\" in tex


@pytest.mark.parametrize("name", ["calibration", "false_positives"])
def test_no_files_give_a_table_without_rows(tmp_path, name):
    table, page, tex = texts_of(write_small_table(name, tmp_path, **NO_SCORES))
    assert table.empty and "fitted_on" in table
    assert "There are no scores" in page and tex.startswith("% There are no")


def draw(table, folder):
    return drawn_twice(
        lambda **files: write_small_figure("calibration", table=table, **files), folder / "figure"
    )


def test_figure_has_a_panel_per_data_set(calibration, tmp_path):
    svg = draw(calibration["tsv"], tmp_path)
    # Two maps and the colour bar.
    assert 'id="axes_3"' in svg and 'id="axes_4"' not in svg
    # Each cell is named by its number: two methods, three thresholds, and one that is unknown.
    for text in ("40.0", "10.0", "50.0", "80.0", "85.0", "\u2013", "own", "best", "cDDPM ENS"):
        assert f"<!-- {text} -->" in svg


def test_figure_without_scores_says_so(tmp_path):
    files = write_small_table("calibration", tmp_path, **NO_SCORES)
    assert 'id="axes_1"' not in draw(files["tsv"], tmp_path)
