"""The distribution of healthy anomaly maps, worked out by hand and by NumPy."""

import json

import numpy as np
import pandas as pd
import pytest
from test_score_thresholds import write_files

import summarize_healthy_residuals
from brainuad.evaluation.healthy_residuals import read_healthy_residuals, summarize_maps
from brainuad.io.errors import SettingsError
from brainuad.io.tables import read_table, write_table

AFFINE = np.array([[2.0, 0, 0, -10], [0, 2, 0, -20], [0, 0, 2.5, -30], [0, 0, 0, 1]])


def test_mean_and_deviation_are_those_of_numpy():
    maps = np.random.default_rng(5).random((6, 4, 5, 3)).astype(np.float32)
    residuals = summarize_maps(iter(maps), [AFFINE] * 6, range(6))
    np.testing.assert_allclose(residuals.mean, maps.mean(0, dtype=float), rtol=1e-6)
    np.testing.assert_allclose(residuals.deviation, maps.std(0, ddof=1, dtype=float), rtol=1e-5)
    np.testing.assert_array_equal(residuals.affine, AFFINE)
    assert residuals.percentile_of(-1) == 0
    assert residuals.percentile_of(2) == 50
    assert residuals.percentile_of(9) == 100


def test_maps_meet_where_they_lie_in_the_template():
    """The same point of the template, in grids that are cut at different places."""
    maps, affines = np.zeros((3, 5, 6, 7), np.float32), []
    for number, shift in enumerate([(0, 0, 0), (1, 0, -1), (-1, 2, 0)]):
        x, y, z = np.array([3, 3, 2]) - shift
        maps[number, z, x, y] = number + 1
        moved = AFFINE.copy()
        moved[:3, 3] += AFFINE[:3, :3] @ shift
        affines.append(moved)
    residuals = summarize_maps(iter(maps), affines, [0, 0, 0])
    np.testing.assert_array_equal(residuals.affine, AFFINE)
    expected = np.zeros((5, 6, 7))
    expected[2, 3, 3] = 2
    np.testing.assert_allclose(residuals.mean, expected, atol=1e-6)
    assert residuals.deviation[2, 3, 3] == pytest.approx(1)


def test_one_scan_has_no_deviation_and_none_is_refused():
    residuals = summarize_maps([np.ones((2, 3, 4), np.float32)], [AFFINE], [0.1])
    assert np.isnan(residuals.deviation).all() and (residuals.mean == 1).all()
    with pytest.raises(SettingsError, match="nothing to compare patients with"):
        summarize_maps([], [], [])


def test_script_takes_the_test_subjects_that_came_through(tmp_path):
    write_files(tmp_path, lesions=False)
    split = read_table(tmp_path / "split.tsv")
    lost = pd.DataFrame({"subject": ["lost"], "session": "", "partition": ["test"]})
    write_table(pd.concat([split, lost]), tmp_path / "split.tsv")
    summarize_healthy_residuals.main(
        slices=tmp_path / "slices.npz",
        split=tmp_path / "split.tsv",
        anomaly_maps=tmp_path / "maps.npz",
        output=tmp_path / "residuals.npz",
        threshold=tmp_path / "threshold.json",
    )
    residuals = read_healthy_residuals(tmp_path / "residuals.npz")
    assert residuals.mean.shape == residuals.deviation.shape == (3, 1, 10)
    # In the two test subjects: .8 and .3 in the lesion, .4 beside it, .6 on the lone voxel.
    expected = [0.55] * 4 + [0.4] * 4 + [0, 0.6]
    np.testing.assert_allclose(residuals.mean[1, 0], expected, rtol=1e-6)
    assert residuals.deviation[1, 0, 0] == pytest.approx(0.5 / np.sqrt(2))
    # Of the 30 voxels of the validation subject, the highest of .8, none may exceed it.
    fitted = json.loads((tmp_path / "threshold.json").read_text())
    assert fitted == {
        "threshold": pytest.approx(0.8),
        "share": 0.01,
        "thresholds": {f"healthy_{share}": pytest.approx(0.8) for share in (0.01, 0.02, 0.05)},
        "subjects": 1,
        "brain_voxels": 30,
    }
    # Over the brain's 30 voxels.
    np.testing.assert_allclose(residuals.mean_residual, [5.4 / 30, 3.4 / 30], rtol=1e-6)
