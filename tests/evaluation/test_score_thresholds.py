"""Scores at several thresholds, on subjects whose residuals are known voxel by voxel."""

import json
import math

import numpy as np
import pandas as pd
import pytest

import map_anomalies
import score_false_positives
import score_thresholds
from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.tables import read_table, write_table

# Voxels of 2 x 2 x 2.5 mm, so that 100 of them are one millilitre.
AFFINE = np.diag([2.0, 2.0, 2.5, 1.0])
SETTINGS = {
    "order": ["erosion", "median"],
    "erosion_iterations": 0,
    "median_size": 1,
    "minimum_component": 3,
}


def write_files(folder, *, lesions: bool):
    """Two test subjects and one of validation: a row of ten voxels each, in three slices.

    Residuals are .8 on the lesion (four voxels), .4 next to it (four voxels), .6 on a lone voxel.
    """
    residuals = np.zeros((3, 3, 1, 10), np.float32)
    residuals[:, 1, 0, :4], residuals[:, 1, 0, 4:8] = 0.8, 0.4
    residuals[:, 1, 0, 9] = 0.6
    labels = np.zeros(residuals.shape, np.uint8)
    labels[:, 1, 0, :4] = int(lesions)
    # The lesion of the second subject scores less than what is next to it.
    residuals[1, 1, 0, :4] = 0.3
    subjects = np.array(["one", "two", "validated"])
    stack = SliceStack(
        images=residuals,
        brain_masks=np.ones(residuals.shape, bool),
        lesions=labels,
        subjects=subjects,
        affines=np.tile(AFFINE, (3, 1, 1)),
    )
    write_slices(stack, folder / "slices.npz")
    partitions = ["test", "test", "validation"]
    write_table(
        pd.DataFrame({"subject": subjects, "session": "", "partition": partitions}),
        folder / "split.tsv",
    )
    map_anomalies.main(
        slices=folder / "slices.npz",
        split=folder / "split.tsv",
        reconstructions=None,
        output=folder / "maps.npz",
        score={"kind": "intensity"},
        partitions=["validation", "test"],
        postprocessing=SETTINGS,
    )
    for name, value in (("atlas", 0.5), ("wmh", 0.35)):
        (folder / f"{name}.json").write_text(json.dumps({"threshold": value}), encoding="utf-8")
    (folder / "healthy.json").write_text(json.dumps(HEALTHY), encoding="utf-8")


# Two thresholds of healthy voxels, as `summarize_healthy_residuals` writes them.
HEALTHY = {"threshold": 0.7, "thresholds": {"healthy_0.01": 0.7, "healthy_0.02": 0.35}}


def scored(folder, *, lesions: bool) -> pd.DataFrame:
    write_files(folder, lesions=lesions)
    score_thresholds.main(
        slices=folder / "slices.npz",
        split=folder / "split.tsv",
        anomaly_maps=folder / "maps.npz",
        thresholds=[folder / "atlas.json", folder / "wmh.json"],
        healthy_threshold=folder / "healthy.json",
        output=folder / "scores.tsv",
        fitted_on=["atlas", "wmh"],
        modality="t1",
        postprocessing=SETTINGS,
    )
    table = read_table(folder / "scores.tsv")
    assert list(table.columns) == ["subject", "session", "modality", "fitted_on", "metric", "value"]
    assert set(table["modality"]) <= {"t1"}
    return table


def test_lesion_set_by_hand(tmp_path, capsys):
    table = scored(tmp_path, lesions=True)
    values = table.set_index(["subject", "fitted_on", "metric"])["value"].to_dict()
    assert len(values) == 2 * 5 * 2
    # At .5 the lesion; the lone voxel of .6 is removed. At .35 the four voxels next to it as well.
    assert values["one", "atlas", "dice"] == 1
    assert values["one", "atlas", "predicted_volume_ml"] == pytest.approx(0.04)
    assert values["one", "wmh", "dice"] == pytest.approx(8 / 12)
    assert values["one", "wmh", "predicted_volume_ml"] == pytest.approx(0.08)
    # At .7 the lesion of the first subject alone.
    assert [values[name, "healthy_0.01", "dice"] for name in ("one", "two")] == [1, 0]
    assert values["one", "healthy_0.02", "dice"] == values["one", "wmh", "dice"]
    assert values["two", "atlas", "dice"] == values["two", "wmh", "dice"] == 0
    # With the lone voxel, which is there when the best is sought: just below .8 the Dice are 1 and
    # 0, just below .3 they are 8/13 twice, which is better.
    assert values["one", "test", "dice"] == pytest.approx(8 / 12)
    assert values["two", "test", "dice"] == pytest.approx(8 / 12)
    assert f"Dice {8 / 13:.4f}" in capsys.readouterr().out


def test_healthy_set_has_false_alarms_alone(tmp_path):
    write_files(tmp_path, lesions=False)
    score_false_positives.main(
        slices=tmp_path / "slices.npz",
        split=tmp_path / "split.tsv",
        anomaly_maps=tmp_path / "maps.npz",
        thresholds=[tmp_path / "atlas.json", tmp_path / "wmh.json"],
        healthy_threshold=tmp_path / "healthy.json",
        scores=tmp_path / "scores.tsv",
        shares=tmp_path / "shares.json",
        fitted_on=["atlas", "wmh"],
        modality="t1",
        postprocessing=SETTINGS,
    )
    table = read_table(tmp_path / "scores.tsv")
    assert list(table.columns) == ["subject", "session", "modality", "fitted_on", "metric", "value"]
    assert set(table["metric"]) == {"predicted_volume_ml"} and set(table["modality"]) == {"t1"}
    volumes = table.set_index(["subject", "fitted_on"])["value"].to_dict()
    assert volumes == {
        ("one", "atlas"): pytest.approx(0.04),
        ("one", "wmh"): pytest.approx(0.08),
        ("two", "atlas"): 0,
        ("two", "wmh"): pytest.approx(0.04),
        ("one", "healthy_0.01"): pytest.approx(0.04),
        ("one", "healthy_0.02"): pytest.approx(0.08),
        ("two", "healthy_0.01"): 0,
        ("two", "healthy_0.02"): pytest.approx(0.04),
    }
    # The validation subject has 30 voxels: four of .8, four of .4, one of .6.
    shares = json.loads((tmp_path / "shares.json").read_text())
    assert shares == pytest.approx({"atlas": 5 / 30, "wmh": 9 / 30})


def test_lesion_set_whose_test_subjects_have_no_lesion(tmp_path):
    table = scored(tmp_path, lesions=False)
    best = table[table["fitted_on"] == "test"]
    assert best.loc[best["metric"] == "predicted_volume_ml", "value"].tolist() == [0, 0]
    assert all(math.isnan(value) for value in table.loc[table["metric"] == "dice", "value"])
