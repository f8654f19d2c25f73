from dataclasses import asdict

import pytest
from small_scores import BOOTSTRAP, scores_of, summary_of

from brainuad.evaluation import summaries
from brainuad.io.tables import read_table
from brainuad.report.tables import files as table_files


def test_no_file_at_all_gives_tables_without_rows(tmp_path):
    files = {"tsv": tmp_path / "t.tsv", "html": tmp_path / "t.html", "tex": tmp_path / "t.tex"}
    table_files.tabulate_scores(
        [],
        methods=[],
        folds=[],
        datasets=[],
        bootstrap=asdict(BOOTSTRAP),
        metrics=["dice"],
        shown=["dice"],
        title="A",
        note="",
        average=True,
        extra="variant",
        reference="all",
        **files,
    )
    table = read_table(files["tsv"])
    assert table.empty and table.columns.tolist()[2:5] == ["modality", "variant", "metric"]
    assert table.columns[-1] == "difference"
    assert "There are no scores" in files["html"].read_text(encoding="utf-8")
    assert "There are no scores" in files["tex"].read_text(encoding="utf-8")


def test_written_files_hold_fractions_and_per_cent(tmp_path):
    summary = summaries.with_average(
        summary_of(scores_of([0.2, 0.4]), scores_of([0.5, 0.5], dataset="mslub"))
    )
    files = {"tsv": tmp_path / "t.tsv", "html": tmp_path / "t.html", "tex": tmp_path / "t.tex"}
    table_files.write_results(summary, metrics=["dice"], title="A & B", note="", **files)
    tidy = read_table(files["tsv"])
    assert tidy["dataset"].tolist() == ["brats21", "mslub"]
    assert tidy["mean"].tolist() == pytest.approx([0.3, 0.5])
    page = files["html"].read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "A &amp; B" in page
    assert "30.0" in page and "40.0" in page and "http" not in page
