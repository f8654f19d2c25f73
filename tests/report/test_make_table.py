"""The script that tabulates scores, on two small data sets, from files to files."""

import numpy as np
import pandas as pd
import pytest
from small_report import REGISTER, tabulated, texts_of, write_small_table

from brainuad.io.markup import to_html
from brainuad.io.tables import read_table, write_table


@pytest.fixture
def report(tmp_path):
    return tabulated(tmp_path)


def test_tables_by_hand(report):
    tables = report
    table = read_table(tables / "segmentation.tsv").set_index(["method", "dataset", "metric"])
    row = table.loc[("cddpm_ens", "mslub", "dice")]
    # Fold means are .3 and .4.
    assert row["mean"] == pytest.approx(0.35)
    assert row["sd"] == pytest.approx(0.1 / np.sqrt(2))
    assert (row["folds"], row["subjects"]) == (2, 3)
    assert row["ci_low"] < 0.35 < row["ci_high"]
    assert set(table.index.get_level_values("metric")) == {"dice", "auprc", "precision", "recall"}
    assert "lesion_volume_ml" not in (tables / "segmentation.tsv").read_text(encoding="utf-8")
    reconstruction = read_table(tables / "reconstruction.tsv")
    assert reconstruction["metric"].unique().tolist() == ["l1_ratio"]
    assert read_table(tables / "contrast.tsv")["gamma"].unique().tolist() == [2.0]
    assert "$\\gamma$ = 2" in (tables / "contrast.tex").read_text(encoding="utf-8")


def test_comparison_by_hand(report):
    table = read_table(report / "comparison.tsv").set_index(["dataset", "metric"])
    assert set(table["method"]) == {"cddpm_ens"} and set(table["other"]) == {"thresh"}
    assert len(table) == 4
    row = table.loc[("mslub", "dice")]
    # Every subject is .2 better. Of the 8 flips of three signs, two are as far out as that.
    assert row[["difference", "ci_low", "ci_high"]].tolist() == pytest.approx([0.2] * 3)
    assert row["p"] == pytest.approx(2 / 8)
    assert row["p_corrected"] == pytest.approx(2 * 2 / 8)
    assert row["subjects"] == 3
    page = (report / "comparison.html").read_text(encoding="utf-8")
    assert "cDDPM ENS against the others" in page and "+20.0 [+20.0, +20.0]" in page
    tex = (report / "comparison.tex").read_text(encoding="utf-8")
    assert r"WMH T1 & Thresh & +20.0 [+20.0, +20.0] & 0.25 & 0.5 & 3 &" in tex


@pytest.mark.parametrize(("methods", "subjects"), [(["cddpm_ens"], 4), (["cddpm_ens", "ddpm"], 1)])
def test_nothing_to_compare_is_a_header_and_a_line(tmp_path, methods, subjects):
    rows = [[f"s{place}", "t2", "dice", 0.1 * place] for place in range(subjects)]
    write_table(
        pd.DataFrame(rows, columns=["subject", "modality", "metric", "value"]), tmp_path / "s.tsv"
    )
    files = write_small_table(
        "comparison",
        tmp_path,
        scores=[tmp_path / "s.tsv"] * len(methods),
        methods=methods,
        folds=[0] * len(methods),
        datasets=["mslub"] * len(methods),
    )
    table, page, latex = texts_of(files)
    assert table.empty and {"difference", "p", "p_corrected", "subjects"} <= set(table.columns)
    assert page.count("There is nothing to compare") == 1 and "<table " not in page
    assert latex.startswith("% There is")


def test_each_page_has_its_title_and_its_caption(report):
    for name in ("segmentation", "reconstruction", "comparison", "contrast", "claims"):
        page = (report / f"{name}.html").read_text(encoding="utf-8")
        entry = REGISTER.tables[name]
        assert f"<h1>{entry.title}</h1>" in page
        assert page.count(f'<p class="note">{to_html(entry.caption)}</p>') == 1
