"""Our tables held against the paper's, from files to files."""

import pandas as pd
import pytest
from small_report import NO_SCORES, PAPER, tabulated, write_small_table

from brainuad.io.tables import read_table, write_table


@pytest.fixture
def report(tmp_path):
    return tabulated(tmp_path)


def test_compared_with_the_paper_by_hand(report):
    table = read_table(report / "compare_with_paper.tsv")
    printed = [read_table(PAPER / f"{name}.tsv") for name in ("segmentation", "reconstruction")]
    # The 28 l1-ratios stand beside two of ours.
    assert len(table) == sum(map(len, printed)) + 7 * 4
    keys = ["method", "dataset", "modality", "metric"]
    row = table.set_index(keys).loc[("thresh", "mslub", "t2", "dice")]
    # Fold means are .1 and .2; printed are 6.21 %.
    assert row[["paper", "ours", "difference"]].tolist() == pytest.approx([0.0621, 0.15, 0.0879])
    # Thresh on MSLUB and WMH; the paper has no cDDPM ENS, and Thresh reconstructs nothing.
    assert table["ours"].count() == 4
    page = (report / "compare_with_paper.html").read_text(encoding="utf-8")
    assert "How the paper defines its l1 ratio is unknown" in page
    assert '15.0 <span class="spread">\u00b1 7.1</span>' in page
    assert '<span class="interval">6.2 (+8.8)</span>' in page
    tex = (report / "compare_with_paper.tex").read_text(encoding="utf-8")
    assert r"$\pm$ 7.1\\{\scriptsize 6.2 (+8.8)}}" in tex
    assert tex.count(r"\bottomrule") == 2 and "LPIPS ($10^{-3}$)" in tex


def test_nothing_of_the_paper_was_measured(tmp_path):
    names = ("segmentation", "contrast")
    tables = [write_small_table(name, tmp_path, **NO_SCORES)["tsv"] for name in names]
    write_small_table(
        "compare_with_paper",
        tmp_path,
        ours=tables,
        printed=[PAPER / "segmentation.tsv"],
        rerun=PAPER / "independent_rerun.tsv",
    )
    table = read_table(tmp_path / "compare_with_paper.tsv")
    assert table["paper"].notna().all() and table[["ours", "difference"]].isna().all(axis=None)
    write_small_table("claims", tmp_path, ours=tables, claims=PAPER / "claims.tsv")
    assert set(read_table(tmp_path / "claims.tsv")["verdict"]) == {"not measured"}


def test_claims_are_judged_by_all_tables(tmp_path):
    columns = ["method", "dataset", "modality", "metric", "mean"]
    plain = [("cddpm", "wmh", "t1", "dice", 0.2), ("ddpm", "wmh", "t1", "dice", 0.25)]
    changed = [("cddpm", "ixi", "t2", "entropy_difference", 0.1)]
    changed.append(("ddpm", *changed[0][1:4], 0.5))
    write_table(pd.DataFrame(plain, columns=columns), tmp_path / "plain.tsv")
    write_table(pd.DataFrame(changed, columns=columns).assign(gamma=2.0), tmp_path / "changed.tsv")
    ours = [tmp_path / "plain.tsv", tmp_path / "changed.tsv"]
    write_small_table("claims", tmp_path, ours=ours, claims=PAPER / "claims.tsv")
    table = read_table(tmp_path / "claims.tsv").set_index("claim")
    assert len(table) == len(read_table(PAPER / "claims.tsv"))
    row = table.loc["cDDPM gains no Dice over DDPM on WMH"]
    assert (row["ours"], row["paper"]) == pytest.approx((-0.05, -0.0009))
    assert row["verdict"] == "holds"
    assert sorted(table["ours"].dropna()) == pytest.approx([-0.05, 5.0])
    page = (tmp_path / "claims.html").read_text(encoding="utf-8")
    assert f"{len(table)} claims of the paper, 2 hold here, 0 do not, and {len(table) - 2}" in page
    assert ">\u22125.00 %<" in page and ">\u22120.09 %<" in page
    assert "not measured (there is no seconds_per_volume on ixi_t2)" in page
    assert "not measured (there is no pDDPM)" in page
    tex = (tmp_path / "claims.tex").read_text(encoding="utf-8")
    assert r"$-$0.09 \% & $-$5.00 \% & holds" in tex and r"$-$4.61 $\cdot$ $10^{-3}$ & --" in tex
