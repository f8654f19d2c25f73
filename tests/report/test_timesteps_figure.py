import re
from functools import partial

import numpy as np
import pandas as pd
import pytest
from figure_checks import drawn_twice
from small_report import LABELS, NO_SCORES, REGISTER, write_small_figure

from brainuad.io.tables import write_table
from brainuad.report.figures.style import house_style, styles_from
from brainuad.report.figures.timesteps import dice_by_timestep, mean_by_timestep

KEYS = ["dataset", "modality", "method", "fold", "subject", "timestep", "value"]


def make_scores(rows):
    """Rows of method, fold, subject, timestep and value, all of MSLUB."""
    return pd.DataFrame([("mslub", "t2", *row) for row in rows], columns=KEYS)


def test_mean_is_over_subjects_then_over_folds():
    scores = make_scores(
        [
            # The first fold's mean is .2 of two subjects, the second's .4 of one.
            ("ddpm", 0, "a", 500, 0.1),
            ("ddpm", 0, "b", 500, 0.3),
            ("ddpm", 1, "a", 500, 0.4),
            ("ddpm", 1, "b", 500, float("nan")),
            ("ddpm", 0, "a", 250, 0.7),
        ]
    )
    found = mean_by_timestep(scores).set_index("timestep")
    assert found.at[500, "mean"] == pytest.approx(0.3)
    # Of .2 and .4: sqrt(2 * .1^2 / 1).
    assert found.at[500, "std"] == pytest.approx(np.sqrt(0.02))
    assert found.at[250, "mean"] == pytest.approx(0.7)
    assert np.isnan(found.at[250, "std"])


def draw(scores):
    styles = styles_from(REGISTER.figures["timesteps"].params["styles"])
    with house_style():
        return dice_by_timestep(mean_by_timestep(scores), styles=styles, labels=LABELS)


def test_lines_rise_with_the_timestep_in_a_band_of_one_sd():
    rows = [
        ("ddpm", fold, "a", step, 0.1 * fold + step / 1000)
        for fold in (0, 1)
        for step in (500, 200)
    ]
    axes = draw(make_scores(rows)).axes[0]
    (line,) = axes.get_lines()
    assert line.get_xdata().tolist() == [200, 500]
    assert line.get_ydata() == pytest.approx([0.25, 0.55])
    band = axes.collections[0].get_paths()[0].vertices
    half = np.sqrt(0.005)
    assert band[:, 1].max() == pytest.approx(0.55 + half)
    assert band[:, 1].min() == pytest.approx(0.25 - half)
    assert axes.get_ylim()[0] == 0


def test_there_is_no_band_of_one_fold():
    rows = [("ddpm", 0, "a", 500, 0.1), ("ddpm", 0, "a", 600, 0.2)]
    axes = draw(make_scores(rows)).axes[0]
    assert not any(np.isfinite(path.vertices).all() for path in axes.collections[0].get_paths())


def test_a_panel_per_lesion_set_and_a_line_per_method(tmp_path):
    scores, methods, datasets = [], [], []
    for method in ("ddpm", "cddpm"):
        for dataset, modality in (("mslub", "t2"), ("wmh", "t1")):
            rows = [
                (subject, modality, timestep, metric, 0.1)
                for subject in ("a", "b")
                for timestep in (250, 500)
                for metric in ("dice", "auprc")
            ]
            path = tmp_path / f"{method}_{dataset}.tsv"
            columns = ["subject", "modality", "timestep", "metric", "value"]
            write_table(pd.DataFrame(rows, columns=columns), path)
            scores.append(path)
            methods.append(method)
            datasets.append(dataset)
    lists = {"scores": scores, "methods": methods, "datasets": datasets, "folds": [0] * 4}
    svg = drawn_twice(lambda **files: write_small_figure("timesteps", **lists, **files), tmp_path)
    assert len(re.findall(r'<g id="axes_\d+">', svg)) == 2


def test_without_a_lesion_set_a_strip_says_so(tmp_path):
    svg = drawn_twice(partial(write_small_figure, "timesteps", **NO_SCORES), tmp_path)
    assert 'id="axes_1"' not in svg
