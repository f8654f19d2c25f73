import pandas as pd
import pytest
from figure_checks import drawn_twice
from small_report import LABELS, REGISTER, write_small_figure

from brainuad.io.tables import write_table
from brainuad.report.figures.style import house_style, styles_from
from brainuad.report.figures.times import seconds_per_volume

COLUMNS = ["method", "dataset", "modality", "metric", "mean", "ci_low", "ci_high"]
SECONDS, RATIO = "seconds_per_volume", "ratio_to_ddpm"
SUMMARY = pd.DataFrame(
    [
        ("ae", "ixi", "t2", SECONDS, 0.25, 0.2, 0.3),
        ("ddpm", "ixi", "t2", SECONDS, 2.0, 1.9, 2.1),
        ("ae", "ixi", "t2", RATIO, 0.125, 0.1, 0.15),
        ("ddpm", "ixi", "t2", RATIO, 1.0, 1.0, 1.0),
        ("ddpm", "ixi", "t1", SECONDS, 3.0, 2.9, 3.1),
        ("ddpm", "ixi", "t1", RATIO, 1.0, 1.0, 1.0),
    ],
    columns=COLUMNS,
)


def draw(summary):
    styles = styles_from(REGISTER.figures["times"].params["styles"])
    with house_style():
        return seconds_per_volume(summary, reference="ddpm", styles=styles, labels=LABELS)


def test_bars_are_seconds_and_numbers_have_the_ratio():
    t2, t1 = draw(SUMMARY).axes
    assert [bar.get_width() for bar in t2.patches] == [0.25, 2.0]
    assert [text.get_text() for text in t2.texts] == ["0.25 s  (0.12\u00d7)", "2 s  (1.00\u00d7)"]
    assert [label.get_text() for label in t2.get_yticklabels()] == ["AE", "DDPM"]
    # AE has no time of T1: DDPM keeps its line.
    assert [bar.get_y() + bar.get_height() / 2 for bar in t1.patches] == pytest.approx([1])


def test_without_ddpm_there_is_no_ratio():
    (axes,) = draw(SUMMARY[(SUMMARY["method"] == "ae") & (SUMMARY["metric"] == SECONDS)]).axes
    assert [text.get_text() for text in axes.texts] == ["0.25 s"]


@pytest.mark.parametrize(("rows", "panels"), [(6, 2), (0, 0)])
def test_script_draws_the_table(tmp_path, rows, panels):
    write_table(SUMMARY.iloc[:rows], tmp_path / "times.tsv")
    table = tmp_path / "times.tsv"
    svg = drawn_twice(lambda **files: write_small_figure("times", table=table, **files), tmp_path)
    assert svg.count('<g id="axes_') == panels
