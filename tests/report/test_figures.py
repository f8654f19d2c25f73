import ast
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from colour_vision import smallest_distance
from small_report import LABELS

from brainuad.images.slices import largest_lesion_slice
from brainuad.report.figures import dice_by_volume, panels, pictures
from brainuad.report.figures.compact_panels import OUTLINE_COLOUR
from brainuad.report.figures.precision_recall import (
    draw_precision_recall,
    finish_precision_recall,
    precision_recall_axes,
)
from brainuad.report.figures.style import DASHED, MethodStyle, house_style, save_figure
from brainuad.report.figures.training import (
    TRAINING_COLOUR,
    VALIDATION_COLOUR,
    training_curves,
)

FIGURES = sorted(Path(pictures.__file__).parent.glob("*.py"))
DDPM = MethodStyle("#0072b2", "-", "s")
# One voxel is marked on a grid whose axes run to the patient's right and front: [x, y].
FAR_RIGHT_FRONT = np.zeros((4, 6))
FAR_RIGHT_FRONT[3, 5] = 1


def test_axial_view_is_radiological():
    view = pictures.axial_view(FAR_RIGHT_FRONT)
    assert view.shape == (6, 4)
    # The patient's right is at the left of the picture, the front at its top.
    assert view[0, 0] == 1


def test_sagittal_view_has_the_top_above_and_the_front_at_left():
    assert pictures.sagittal_view(FAR_RIGHT_FRONT)[0, 0] == 1


def test_outlines_and_losses_are_told_apart_with_any_vision():
    lesion, prediction = pictures.LESION_COLOUR, pictures.PREDICTION_COLOUR
    assert smallest_distance([lesion, prediction, pictures.IGNORED_COLOUR]) > 14
    assert smallest_distance([lesion, OUTLINE_COLOUR]) > 14
    assert smallest_distance([TRAINING_COLOUR, VALIDATION_COLOUR]) > 14


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_figures_take_their_greys_from_the_one_style(path):
    """What a module names itself is a constant at its top, that says what it marks."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    texts = [
        node.value for each in inside for node in ast.walk(each) if isinstance(node, ast.Constant)
    ]
    assert not [text for text in texts if re.fullmatch("#[0-9a-fA-F]{6}", str(text))]


def test_bounding_box_has_a_margin_inside_the_grid():
    mask = np.zeros((10, 10), bool)
    mask[1:3, 5:7] = True
    assert pictures.bounding_box(mask, margin=2) == (slice(0, 5), slice(3, 9))
    assert pictures.bounding_box(np.zeros((3, 4)), margin=1) == (slice(0, 3), slice(0, 4))


def test_largest_lesion_slice_ignores_what_is_not_scored():
    lesions = np.zeros((3, 4, 4), np.uint8)
    lesions[0] = 2
    lesions[2, 0, 0] = 1
    assert largest_lesion_slice(lesions) == 2


def test_subjects_are_spread_from_small_to_large():
    sizes = [5, 0, 1, 9, 3, 7]
    assert pictures.spread_by_size(sizes, count=6) == [2, 4, 0, 5, 3]
    assert pictures.spread_by_size(sizes, count=3) == [2, 0, 3]
    assert pictures.spread_by_size([0, 0], count=3) == []


def test_evenly_chosen_keeps_first_and_last():
    assert pictures.evenly_chosen(list("abcdefg"), count=3) == ["a", "d", "g"]
    assert pictures.evenly_chosen(["a"], count=3) == ["a"]


def panel_row(generator):
    def plane():
        return generator.random((8, 10), dtype=np.float32)

    lesions = np.zeros((8, 10), np.uint8)
    lesions[2:4, 3:5] = 1
    lesions[6, 6] = 2
    methods = (
        panels.MethodSlice(None, plane(), plane() > 0.5, 0.25),
        panels.MethodSlice(plane(), plane(), lesions == 1, float("nan")),
    )
    return panels.PanelRow("patient01", 1.25, True, plane(), lesions, methods)


def make_panel():
    scales = [panels.MethodScale("Thresh", 1.0, 0.5), panels.MethodScale("DDPM", 0.2, 0.3)]
    rows = [panel_row(np.random.default_rng(0))]
    return panels.draw_panel(rows, scales, title="MSLUB T2", aspect=1.0)


def make_volume_chart():
    points = pd.DataFrame(
        [
            ("mslub", "t2", method, f"s{place}", 0.1 * place, 0.5 * 1.8**place)
            for method in ("ddpm", "ddpm_ens")
            for place in range(8)
        ],
        columns=["dataset", "modality", "method", "subject", "dice", "lesion_volume_ml"],
    )
    beside = {"ddpm": MethodStyle("#0072b2", DASHED, "s"), "ddpm_ens": DDPM}
    return dice_by_volume.dice_by_volume(points, styles=beside, labels=LABELS)


def make_training_chart():
    history = pd.DataFrame(
        {
            "step": [10, 20, 30],
            "training_loss": [0.3, 0.2, 0.1],
            "validation_loss": [0.3, np.nan, 0.2],
        }
    )
    return training_curves({"cDDPM, T2": {"fold0": history, "fold1": history}})


@pytest.mark.parametrize("make", [make_panel, make_volume_chart, make_training_chart])
def test_figures_are_drawn_and_repeat_byte_for_byte(make, tmp_path):
    written = []
    for attempt in ("first", "second"):
        svg, png = tmp_path / attempt / "a.svg", tmp_path / attempt / "a.png"
        with house_style():
            save_figure(make(), svg=svg, png=png)
        ElementTree.parse(svg)
        assert png.read_bytes().startswith(b"\x89PNG")
        written.append((svg.read_bytes(), png.read_bytes()))
    assert written[0] == written[1]


def test_a_method_without_a_model_has_no_column_for_reconstructions():
    texts = [text.get_text() for text in make_panel().texts]
    assert texts.count("Reconstruction") == 1
    assert texts.count("Anomaly map") == texts.count("Prediction") == 2


def test_weights_used_are_those_of_the_lowest_validation_loss():
    axes = make_training_chart().axes[0]
    dots = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert [(dot.get_xdata().tolist(), dot.get_ydata().tolist()) for dot in dots] == 2 * [
        ([30], [0.2])
    ]


def test_medians_join_groups_of_subjects():
    axes = make_volume_chart().axes[0]
    # Eight subjects make two groups of four: Dice 0, .1, .2, .3 and .4, .5, .6, .7.
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) == 2]
    assert [line.get_ydata().tolist() for line in lines] == 2 * [pytest.approx([0.15, 0.55])]


def test_methods_of_few_subjects_stand_side_by_side():
    axes = make_volume_chart().axes[0]
    first, second = axes.collections
    places = [each.get_offset_transform().transform((1, 0.5)) for each in (first, second)]
    step = dice_by_volume.STEP / 72 * axes.figure.dpi
    assert (places[1] - places[0]).tolist() == pytest.approx([step, 0])


@pytest.mark.parametrize(("highest", "end"), [(0.95, 1.0), (0.3, 0.4), (0.39, 1.0), (0.03, 0.05)])
def test_precision_axis_ends_where_the_curves_need_it(highest, end):
    _, axes = precision_recall_axes(title="")
    # One of two voxels is right at the start; from 5 % of recall on, precision is the highest.
    recalls, precisions = np.array([0.01, 0.05, 0.5]), np.array([1, highest, 0.01])
    look = {"style": DDPM, "label": "DDPM"}
    draw_precision_recall(axes, recalls, precisions, point=(0.5, 0.01), **look)
    finish_precision_recall(axes, chance=0.005)
    assert axes.get_ylim() == pytest.approx((0, 1.02 * end))


def test_precision_axis_shows_every_marker():
    _, axes = precision_recall_axes(title="")
    nothing = np.array([])
    look = {"style": DDPM, "label": "DDPM"}
    draw_precision_recall(axes, nothing, nothing, point=(0.001, 0.5), **look)
    finish_precision_recall(axes, chance=0.005)
    assert axes.get_ylim()[1] > 0.5


def test_log_axes_have_a_few_plain_ticks():
    labels = [text.get_text() for text in make_volume_chart().axes[0].get_xticklabels()]
    # 0.5 to 30.6 ml, with a margin.
    assert labels == ["1", "3", "10", "30"]


def test_nothing_trained_is_said_in_words():
    assert "No model" in training_curves({}).texts[0].get_text()


def test_scan_window_is_robust():
    low, high = pictures.scan_window(np.array([0.0] * 10 + [1.0] * 999 + [1000.0]))
    assert (low, high) == (0.0, 1.0)
    assert pictures.scan_window(np.zeros(4)) == (0.0, 1.0)
