import pytest
from small_report import LABELS, NO_SCORES, texts_of, write_small_table
from small_scores import scores_of, summary_of

from brainuad.evaluation import summaries
from brainuad.report.tables.layout import table_of_summary


def test_no_file_at_all_gives_tables_without_rows(tmp_path):
    table, page, latex = texts_of(write_small_table("postprocessing", tmp_path, **NO_SCORES))
    assert table.empty and table.columns.tolist()[2:5] == ["modality", "variant", "metric"]
    assert table.columns[-1] == "difference"
    assert "There are no scores" in page and "There are no scores" in latex


def test_numbers_are_fractions_and_readers_see_per_cent():
    summary = summaries.with_average(
        summary_of(scores_of([0.2, 0.4]), scores_of([0.5, 0.5], dataset="mslub"))
    )
    table = table_of_summary(summary, metrics=["dice"], labels=LABELS)
    assert table.tidy["dataset"].tolist() == ["brats21", "mslub"]
    assert table.tidy["mean"].tolist() == pytest.approx([0.3, 0.5])
    assert table.tidy["subjects"].dtype.kind == "i"
    assert "30.0" in table.html and "40.0" in table.html and ">Mean<" in table.html
    assert "30.0" in table.latex
