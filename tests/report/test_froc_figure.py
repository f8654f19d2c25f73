import re
from functools import partial

import pandas as pd
import pytest
from figure_checks import drawn_twice
from small_report import LABELS, NO_SCORES, REGISTER, write_small_figure

from brainuad.io.tables import write_table
from brainuad.report.figures.froc import FEWEST, best_up_to, froc_curves, froc_points
from brainuad.report.figures.style import house_style, styles_from

COUNTS = ["factor", "threshold", "scans", "lesions", "detected", "false_positives"]


def counts_of(rows, *, method="ddpm", fold=0, dataset="mslub"):
    frame = pd.DataFrame(
        rows, columns=["factor", "scans", "lesions", "detected", "false_positives"]
    )
    return frame.assign(method=method, fold=fold, dataset=dataset, modality="t2")


def test_counts_are_summed_over_scans_and_folds():
    counts = pd.concat(
        [
            counts_of([(0.5, 4, 10, 8, 12), (1.0, 4, 10, 5, 2)]),
            counts_of([(0.5, 1, 30, 12, 3), (1.0, 1, 30, 5, 0)], fold=1),
        ]
    )
    points = froc_points(counts).set_index("factor")
    assert points["sensitivity"].to_dict() == {0.5: 20 / 40, 1.0: 10 / 40}
    assert points["per_scan"].to_dict() == {0.5: 15 / 5, 1.0: 2 / 5}


def test_no_curve_without_lesions():
    assert froc_points(counts_of([(1.0, 3, 0, 0, 7)])).empty


def test_the_curve_leaves_out_what_finds_less_at_no_lower_price():
    points = pd.DataFrame(
        {"per_scan": [0.1, 5.0, 2.0, 2.0, 1.0, 9.0], "sensitivity": [0, 0.6, 0.6, 0.4, 0.3, 0.2]}
    )
    curve = best_up_to(points)
    assert curve.to_numpy().tolist() == [[0.1, 0], [1, 0.3], [2, 0.6]]


def draw(counts):
    styles = styles_from(REGISTER.figures["froc"].params["styles"])
    with house_style():
        return froc_curves(froc_points(counts), styles=styles, labels=LABELS)


def test_the_marker_is_the_threshold_itself_and_few_false_positives_are_at_the_edge():
    rows = [(0.5, 100, 10, 4, 200), (1.0, 100, 10, 3, 200), (2.0, 100, 10, 2, 1)]
    axes = draw(counts_of(rows)).axes[0]
    curve, marker, _ = axes.get_lines()
    assert list(curve.get_xdata()) == [FEWEST, 2, 2] and list(curve.get_ydata()) == [0.2, 0.4, 0.4]
    # It may lie below the curve.
    assert (marker.get_xdata().tolist(), marker.get_ydata().tolist()) == ([2], [0.3])
    assert axes.get_xscale() == "log" and axes.get_xlim()[0] == FEWEST
    assert axes.get_ylim()[0] == 0


def test_the_curve_goes_on_as_far_as_its_thresholds():
    rows = [(0.5, 10, 10, 3, 90), (0.7, 10, 10, 4, 50), (1.0, 10, 10, 2, 20)]
    axes = draw(counts_of(rows)).axes[0]
    assert list(axes.get_lines()[0].get_xdata()) == [2, 5, 9]
    assert list(axes.get_lines()[0].get_ydata()) == [0.2, 0.4, 0.4]


@pytest.mark.parametrize(("detected", "top"), [(5, 0.1), (10, 0.2), (36, 0.4), (37, 1), (100, 1)])
def test_the_axis_of_sensitivity_ends_where_the_curves_need_it(detected, top):
    axes = draw(counts_of([(1.0, 10, 100, detected, 5)])).axes[0]
    assert axes.get_ylim() == pytest.approx((0, 1.02 * top))


def test_the_axis_reaches_as_far_as_the_curves():
    axes = draw(counts_of([(1.0, 10, 10, 4, 3000)])).axes[0]
    assert axes.get_xlim()[1] > 300
    assert draw(counts_of([(1.0, 10, 10, 4, 1)])).axes[0].get_xlim()[1] == pytest.approx(10)


def test_a_panel_per_lesion_set_from_files(tmp_path):
    scores, methods, datasets = [], [], []
    for method in ("thresh", "ddpm"):
        for dataset, modality in (("mslub", "t2"), ("wmh", "t1")):
            rows = [(factor, 0.2 * factor, 2, 8, 4, 4 / factor) for factor in (0.5, 1.0, 2.0)]
            path = tmp_path / f"{method}_{dataset}.tsv"
            write_table(pd.DataFrame(rows, columns=COUNTS).assign(modality=modality), path)
            scores.append(path)
            methods.append(method)
            datasets.append(dataset)
    lists = {"scores": scores, "methods": methods, "datasets": datasets, "folds": [0] * 4}
    svg = drawn_twice(lambda **files: write_small_figure("froc", **lists, **files), tmp_path)
    assert len(re.findall(r'<g id="axes_\d+">', svg)) == 2


def test_without_a_lesion_set_a_strip_says_so(tmp_path):
    svg = drawn_twice(partial(write_small_figure, "froc", **NO_SCORES), tmp_path)
    assert 'id="axes_1"' not in svg
