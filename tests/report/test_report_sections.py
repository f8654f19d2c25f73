import pytest

from brainuad.report.pages.sections import PLACED, further_results, is_of_kind

TABLES = [
    *("segmentation", "comparison", "contrast", "reconstruction", "postprocessing", "histograms"),
    *("conditioning", "times", "subgroups", "detection", "false_positives", "calibration"),
    *("beside_paper", "claims", "beside_run", "left_out", "splits", "run", "thresholds"),
]
FIGURES = [
    *("panel_brats21", "precision_recall_mslub", "timesteps", "histograms_ixi_t2", "times"),
    *("conditioning_ixi_t2", "calibration", "dice_by_volume", "training"),
]


def test_each_table_and_figure_has_one_place():
    parts = [part for section in PLACED for part in section.parts]
    assert sorted(part.table for part in parts if part.table) == sorted(TABLES)
    for figure in FIGURES:
        assert sum(bool(part.figures) and is_of_kind(figure, part.figures) for part in parts) == 1
    assert further_results(TABLES, FIGURES).parts == ()
    assert len({section.name for section in PLACED}) == len(PLACED)


def test_what_has_no_place_stands_at_the_end():
    further = further_results([*TABLES, "scan_ages"], ["times_of_day", *FIGURES, "panels"])
    assert [part.heading for part in further.parts] == ["Scan ages", "Panels"]
    assert [part.table for part in further.parts] == ["scan_ages", ""]
    assert [part.figures for part in further.parts] == ["", "panels"]


@pytest.mark.parametrize(
    ("figure", "kind", "expected"),
    [
        ("panel_wmh", "panel", True),
        ("training", "training", True),
        ("timesteps", "times", False),
        ("dice_by_volume", "dice_by_volume", True),
    ],
)
def test_kind_of_a_figure(figure, kind, expected):
    assert is_of_kind(figure, kind) == expected


def test_every_figure_has_a_caption():
    """What, over which subjects, and by which threshold where one takes part."""
    for section in PLACED:
        for part in section.parts:
            assert not part.figures or len(part.caption) > 60, part
