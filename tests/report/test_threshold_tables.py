"""Tables and figure of thresholds, from score files to pages."""

import xml.etree.ElementTree as ElementTree

import pandas as pd
import pytest

import plot_calibration
import tabulate_calibration
import tabulate_false_positives
from brainuad.io.tables import read_table, write_table

BOOTSTRAP = {"rounds": 50, "confidence": 0.9, "seed": 3}
COLUMNS = ["subject", "modality", "fitted_on", "metric", "value"]
NOTHING = {"scores": [], "methods": [], "folds": [], "datasets": []}
# The Dice of two subjects, .05 below and above these means.
DICES = {
    ("wmh", "wmh"): 0.4,
    ("wmh", "atlas"): 0.1,
    ("wmh", "test"): 0.5,
    ("atlas", "wmh"): 0.7,
    ("atlas", "atlas"): 0.6,
    ("atlas", "test"): 0.75,
}


def outputs(folder):
    return {ending: folder / f"table.{ending}" for ending in ("tsv", "html", "tex")}


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
    tabulate_calibration.main(**lists_of(files), **outputs(tmp_path), bootstrap=BOOTSTRAP)
    return tmp_path


def table_rows(page, number):
    """The rows of one table of a page, each as the texts of its cells, headers included."""
    table = page.split("<table")[number + 1].split("</table>")[0]
    root = ElementTree.fromstring(f"<table{table}</table>".replace("&nbsp;", " "))
    rows = [["".join(cell.itertext()).strip() for cell in row] for row in root.iter("tr")]
    return [[cell for cell in row if cell] for row in rows]


def test_calibration_by_hand(calibration):
    table = read_table(calibration / "table.tsv").set_index(["method", "dataset", "fitted_on"])
    row = table.loc[("ae", "wmh", "atlas")]
    assert row["mean"] == pytest.approx(0.1) and row["to_own"] == pytest.approx(-0.3)
    assert (row["metric"], row["subjects"], len(table)) == ("dice", 2, 11)
    page = (calibration / "table.html").read_text(encoding="utf-8")
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
    tex = (calibration / "table.tex").read_text(encoding="utf-8")
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
    tabulate_false_positives.main(**lists_of(files), **outputs(tmp_path), bootstrap=BOOTSTRAP)
    table = read_table(tmp_path / "table.tsv").set_index(["modality", "fitted_on"])
    # The folds' means are 4 and 34/3; the subjects' means 0, 3 and 20.
    assert table.loc[("t1", "wmh"), "mean"] == pytest.approx((4 + 34 / 3) / 2)
    assert table.loc[("t2", "mslub"), "percentile_95_ml"] == pytest.approx(2 * (3 + 0.9 * 17))
    page = (tmp_path / "table.html").read_text(encoding="utf-8")
    assert table_rows(page, 0)[0] == ["IXI T1"] and table_rows(page, 1)[0] == ["IXI T2"]
    row = table_rows(page, 0)[2]
    assert row[:2] == ["Threshold of WMH", "cDDPM"]
    assert row[2].startswith("7.7 \u00b1 5.2") and row[3:] == ["3.0", "18.3", "33"]
    assert "over 3 subjects" in page and "90 % bootstrap" in page
    tex = (tmp_path / "table.tex").read_text(encoding="utf-8")
    assert r"7.7 $\pm$ 5.2\\{\scriptsize" in tex and r"& 3.0 & 18.3 & 33 \\" in tex


@pytest.mark.parametrize("script", [tabulate_calibration, tabulate_false_positives])
def test_no_files_give_a_table_without_rows(tmp_path, script):
    script.main(**NOTHING, **outputs(tmp_path), bootstrap=BOOTSTRAP)
    table = read_table(tmp_path / "table.tsv")
    assert table.empty and "fitted_on" in table
    assert "There are no scores" in (tmp_path / "table.html").read_text(encoding="utf-8")
    assert (tmp_path / "table.tex").read_text(encoding="utf-8").startswith("% There are no")


def draw(table, folder):
    """Draw twice, compare bytes; gives the SVG as text."""
    files = []
    for attempt in ("first", "second"):
        svg, png = folder / attempt / "a.svg", folder / attempt / "a.png"
        plot_calibration.main(table=table, svg=svg, png=png)
        ElementTree.parse(svg)
        files.append((svg.read_bytes(), png.read_bytes()))
    assert files[0] == files[1]
    return files[0][0].decode()


def test_figure_has_a_panel_per_data_set(calibration, tmp_path):
    svg = draw(calibration / "table.tsv", tmp_path)
    # Two maps and the colour bar.
    assert 'id="axes_3"' in svg and 'id="axes_4"' not in svg
    # Each cell is named by its number: two methods, three thresholds, and one that is unknown.
    for text in ("40.0", "10.0", "50.0", "80.0", "85.0", "\u2013", "own", "best", "cDDPM ENS"):
        assert f"<!-- {text} -->" in svg


def test_figure_without_scores_says_so(tmp_path):
    tabulate_calibration.main(**NOTHING, **outputs(tmp_path), bootstrap=BOOTSTRAP)
    assert 'id="axes_1"' not in draw(tmp_path / "table.tsv", tmp_path)
