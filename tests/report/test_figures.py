import xml.etree.ElementTree as ElementTree
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from brainuad.report import names
from brainuad.report.figures import charts, panels, pictures
from brainuad.report.figures import style as figures

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


def test_bounding_box_has_a_margin_inside_the_grid():
    mask = np.zeros((10, 10), bool)
    mask[1:3, 5:7] = True
    assert pictures.bounding_box(mask, margin=2) == (slice(0, 5), slice(3, 9))
    assert pictures.bounding_box(np.zeros((3, 4)), margin=1) == (slice(0, 3), slice(0, 4))


def test_largest_lesion_slice_ignores_what_is_not_scored():
    lesions = np.zeros((3, 4, 4), np.uint8)
    lesions[0] = 2
    lesions[2, 0, 0] = 1
    assert pictures.largest_lesion_slice(lesions) == 2


def test_subjects_are_spread_from_small_to_large():
    sizes = [5, 0, 1, 9, 3, 7]
    assert pictures.spread_by_size(sizes, count=6) == [2, 4, 0, 5, 3]
    assert pictures.spread_by_size(sizes, count=3) == [2, 0, 3]
    assert pictures.spread_by_size([0, 0], count=3) == []


def test_evenly_chosen_keeps_first_and_last():
    assert pictures.evenly_chosen(list("abcdefg"), count=3) == ["a", "d", "g"]
    assert pictures.evenly_chosen(["a"], count=3) == ["a"]


def test_ensemble_shares_the_colour_and_the_single_timestep_is_dashed():
    styles = figures.method_styles(["thresh", "ddpm", "ddpm_ens", "cddpm", "mine", "other_ens"])
    assert styles["ddpm"].colour == styles["ddpm_ens"].colour
    assert (styles["ddpm"].line, styles["ddpm_ens"].line) == ("--", "-")
    assert styles["cddpm"].line == "-"
    bases = ["thresh", "ddpm", "cddpm", "mine", "other_ens"]
    assert len({styles[method].colour for method in bases}) == len(bases)
    assert len({styles[method].marker for method in bases}) == len(bases)


def test_each_method_of_the_paper_has_a_look_of_its_own():
    methods = list(names.METHOD_NAMES)
    styles = figures.method_styles(methods)
    assert set(figures.FIXED_STYLES) == set(methods)
    assert len({style.marker for style in styles.values()}) == len(methods)
    # Machado et al., "A physiologically-based model for simulation of color vision deficiency",
    # 2009: full protanopia, deuteranopia and tritanopia, on linear RGB.
    visions = [
        np.eye(3),
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
    ]
    colours = [to_rgb(style.colour) for style in styles.values()]
    for vision in visions:
        seen = [lab(np.asarray(vision) @ linear(colour)) for colour in colours]
        distances = [np.linalg.norm(a - b) for a, b in combinations(seen, 2)]
        assert min(distances) > 14


def linear(colour):
    """sRGB from 0 to 1 without its gamma."""
    colour = np.asarray(colour)
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def lab(colour):
    """CIELAB of linear RGB, for the white of daylight (D65)."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(to_xyz @ np.clip(colour, 0, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_unknown_methods_take_what_is_free():
    styles = figures.method_styles([*figures.FIXED_STYLES, "mine"])
    assert styles["mine"].marker not in {style.marker for style in figures.FIXED_STYLES.values()}


def test_a_colour_does_not_depend_on_the_other_methods():
    alone = figures.method_styles(["cddpm"])["cddpm"]
    assert figures.method_styles(["thresh", "ddpm", "cddpm"])["cddpm"] == alone


def test_dense_figures_leave_out_the_single_timestep_of_an_ensemble():
    methods = ["thresh", "ddpm", "ddpm_ens", "cddpm"]
    assert figures.shown_methods(methods) == ["thresh", "ddpm_ens", "cddpm"]


def panel_row(generator):
    def plane():
        return generator.random((8, 10), dtype=np.float32)

    lesions = np.zeros((8, 10), np.uint8)
    lesions[2:4, 3:5] = 1
    lesions[6, 6] = 2
    nothing = np.zeros((8, 10), np.float32)
    methods = (
        panels.MethodSlice(nothing, plane(), plane() > 0.5, 0.25),
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
    return charts.dice_by_volume(
        points,
        styles=figures.method_styles(["ddpm", "ddpm_ens"]),
        method_name=str.upper,
        dataset_name=lambda dataset, modality: f"{dataset} {modality}",
    )


def make_training_chart():
    history = pd.DataFrame(
        {
            "step": [10, 20, 30],
            "training_loss": [0.3, 0.2, 0.1],
            "validation_loss": [0.3, np.nan, 0.2],
        }
    )
    return charts.training_curves({"cDDPM, T2": {"fold0": history, "fold1": history}})


@pytest.mark.parametrize("make", [make_panel, make_volume_chart, make_training_chart])
def test_figures_are_drawn_and_repeat_byte_for_byte(make, tmp_path):
    written = []
    for attempt in ("first", "second"):
        svg, png = tmp_path / attempt / "a.svg", tmp_path / attempt / "a.png"
        with figures.house_style():
            figures.save_figure(make(), svg=svg, png=png)
        ElementTree.parse(svg)
        assert png.read_bytes().startswith(b"\x89PNG")
        written.append((svg.read_bytes(), png.read_bytes()))
    assert written[0] == written[1]


def test_a_method_that_reconstructs_nothing_has_no_column_for_it():
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
    step = charts.STEP / 72 * axes.figure.dpi
    assert (places[1] - places[0]).tolist() == pytest.approx([step, 0])


@pytest.mark.parametrize(("highest", "end"), [(0.95, 1.0), (0.3, 0.4), (0.39, 1.0), (0.03, 0.05)])
def test_precision_axis_ends_where_the_curves_need_it(highest, end):
    _, axes = charts.precision_recall_axes(title="")
    # One of two voxels is right at the start; from 5 % of recall on, precision is the highest.
    recalls, precisions = np.array([0.01, 0.05, 0.5]), np.array([1, highest, 0.01])
    look = {"style": figures.method_styles(["ddpm"])["ddpm"], "label": "DDPM"}
    charts.draw_precision_recall(axes, recalls, precisions, point=(0.5, 0.01), **look)
    charts.finish_precision_recall(axes, chance=0.005)
    assert axes.get_ylim() == pytest.approx((0, 1.02 * end))


def test_precision_axis_shows_every_marker():
    _, axes = charts.precision_recall_axes(title="")
    nothing = np.array([])
    look = {"style": figures.method_styles(["ddpm"])["ddpm"], "label": "DDPM"}
    charts.draw_precision_recall(axes, nothing, nothing, point=(0.001, 0.5), **look)
    charts.finish_precision_recall(axes, chance=0.005)
    assert axes.get_ylim()[1] > 0.5


def test_log_axes_have_a_few_plain_ticks():
    labels = [text.get_text() for text in make_volume_chart().axes[0].get_xticklabels()]
    # 0.5 to 30.6 ml, with a margin.
    assert labels == ["1", "3", "10", "30"]


def test_nothing_trained_is_said_in_words():
    assert "No model" in charts.training_curves({}).texts[0].get_text()


def test_scan_window_is_robust():
    low, high = pictures.scan_window(np.array([0.0] * 10 + [1.0] * 999 + [1000.0]))
    assert (low, high) == (0.0, 1.0)
    assert pictures.scan_window(np.zeros(4)) == (0.0, 1.0)
