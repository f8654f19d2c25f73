"""What thresholds rest on: from reconstructions to the table, and the warnings on it."""

import json

import numpy as np
import pandas as pd
import pytest
from small_report import outputs

import fit_threshold
import score_false_positives
import tabulate_thresholds
from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.tables import read_table, write_table

PLAIN = {"order": [], "erosion_iterations": 0, "median_size": 1, "minimum_component": 1}


def write_set(folder, name, images, lesions):
    """Slices, a split in which all validate but the last, and reconstructions of zeros."""
    subjects = np.array([f"s{number}" for number in range(len(images))])
    stack = SliceStack(
        images=images,
        brain_masks=images > 0,
        lesions=lesions,
        subjects=subjects,
        affines=np.tile(np.eye(4), (len(images), 1, 1)),
    )
    write_slices(stack, folder / f"{name}.npz")
    np.savez(folder / f"{name}_made.npz", subjects=subjects, reconstructions=np.zeros_like(images))
    partitions = ["validation"] * (len(images) - 1) + ["test"]
    split = pd.DataFrame({"subject": subjects, "partition": partitions})
    write_table(split, folder / f"{name}.tsv")
    return {
        "slices": folder / f"{name}.npz",
        "split": folder / f"{name}.tsv",
        "reconstructions": folder / f"{name}_made.npz",
        "postprocessing": PLAIN,
    }


@pytest.fixture
def thresholds(tmp_path, capsys):
    """One of three validation patients has a lesion, of two voxels, as dim as healthy tissue."""
    images = np.full((4, 1, 20, 20), 0.5, np.float32)
    lesions = np.zeros(images.shape, np.uint8)
    lesions[0, 0, 3, 3:5] = lesions[3, 0, :10] = 1
    images[0, 0, 3, 3:5] = 0.25
    patients = write_set(tmp_path, "mslub", images, lesions)
    healthy = np.linspace(0.001, 1, 3 * 400, dtype=np.float32).reshape(3, 1, 20, 20)
    controls = write_set(tmp_path, "ixi", healthy, np.zeros(healthy.shape, np.uint8))
    fit_threshold.main(**patients, output=tmp_path / "mslub.json")
    score_false_positives.main(
        **controls,
        thresholds=[tmp_path / "mslub.json"],
        fitted_on=["mslub"],
        modality="t2",
        scores=tmp_path / "scores.tsv",
        threshold=tmp_path / "ixi.json",
    )
    assert "warning: a threshold from fewer than 5 patients" in capsys.readouterr().out
    return tmp_path


def test_a_threshold_from_almost_nothing_is_seen(thresholds):
    fitted, healthy = (
        json.loads((thresholds / f"{name}.json").read_text()) for name in ("mslub", "ixi")
    )
    assert (fitted["subjects"], fitted["patients"], fitted["lesion_voxels"]) == (3, 1, 2)
    # Everything is called anomalous, since the lesion is the darkest there is.
    assert 0 <= fitted["threshold"] < 0.25
    values = np.linspace(0.001, 1, 1200, dtype=np.float32)[:800]
    assert (healthy["subjects"], healthy["brain_voxels"], healthy["share"]) == (2, 800, 0.01)
    assert healthy["threshold"] == pytest.approx(values[-9])
    assert healthy["share_above"]["mslub"] == np.mean(values > fitted["threshold"])


def grid(dataset):
    return {"methods": ["cddpm"], "folds": [0], "datasets": [dataset], "modalities": ["t2"]}


def test_table_says_what_it_rests_on_and_warns(thresholds, capsys):
    tabulate_thresholds.main(
        fitted=[thresholds / "mslub.json"],
        healthy=[thresholds / "ixi.json"],
        fitted_grid=grid("mslub"),
        healthy_grid=grid("ixi"),
        **outputs(thresholds, "table"),
    )
    (row,) = read_table(thresholds / "table.tsv").to_dict("records")
    assert (row["patients"], row["lesion_voxels"], row["healthy_subjects"]) == (1, 2, 2)
    assert row["healthy"] == "ixi" and row["share_above"] > 0.6
    page = (thresholds / "table.html").read_text(encoding="utf-8")
    warning = "Warning: the thresholds of MSLUB T2 rest on 1 patient with 2 lesion voxels."
    assert f"<strong>{warning}" in page and "2 of IXI" in page
    assert warning in capsys.readouterr().out
    assert warning in (thresholds / "table.tex").read_text(encoding="utf-8")


def test_enough_patients_need_no_warning_and_healthy_scans_may_be_missing(tmp_path):
    for fold, voxels in enumerate((4000, 5000)):
        content = {"threshold": 0.2 + 0.2 * fold, "validation_dice": 0.5, "subjects": 9}
        content |= {"patients": 9, "lesion_voxels": voxels}
        (tmp_path / f"{fold}.json").write_text(json.dumps(content))
    tabulate_thresholds.main(
        fitted=[tmp_path / "0.json", tmp_path / "1.json"],
        healthy=[],
        fitted_grid={
            "methods": ["ae"] * 2,
            "folds": [0, 1],
            "datasets": ["wmh"] * 2,
            "modalities": ["t1"] * 2,
        },
        healthy_grid={"methods": [], "folds": [], "datasets": [], "modalities": []},
        **outputs(tmp_path, "table"),
    )
    page = (tmp_path / "table.html").read_text(encoding="utf-8")
    assert "Warning" not in page
    assert "4,000 to 5,000" in page and ">0.3<" in page


def test_nothing_fitted_is_a_header_and_a_line(tmp_path):
    none = {"methods": [], "folds": [], "datasets": [], "modalities": []}
    tabulate_thresholds.main(
        fitted=[], healthy=[], fitted_grid=none, healthy_grid=none, **outputs(tmp_path, "table")
    )
    assert read_table(tmp_path / "table.tsv").empty
    assert "There are no scores" in (tmp_path / "table.html").read_text(encoding="utf-8")
