"""What thresholds rest on: from anomaly maps to the table, and the warnings on it."""

import json

import numpy as np
import pandas as pd
import pytest
from small_report import texts_of, write_small_table

import map_anomalies
import score_false_positives
import score_segmentation
import summarize_healthy_residuals
from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.tables import write_table

PLAIN = {"order": [], "erosion_iterations": 0, "median_size": 1, "minimum_component": 1}


def write_set(folder, name, images, lesions):
    """Slices, a split in which all validate but the last, and maps of the intensities."""
    subjects = np.array([f"s{number}" for number in range(len(images))])
    stack = SliceStack(
        images=images,
        brain_masks=images > 0,
        lesions=lesions,
        subjects=subjects,
        affines=np.tile(np.eye(4), (len(images), 1, 1)),
    )
    write_slices(stack, folder / f"{name}.npz")
    partitions = ["validation"] * (len(images) - 1) + ["test"]
    split = pd.DataFrame({"subject": subjects, "session": "", "partition": partitions})
    write_table(split, folder / f"{name}.tsv")
    files = {"slices": folder / f"{name}.npz", "split": folder / f"{name}.tsv"}
    maps = folder / f"{name}_maps.npz"
    map_anomalies.main(
        **files,
        reconstructions=None,
        output=maps,
        score={"kind": "intensity"},
        partitions=["validation", "test"],
        postprocessing=PLAIN,
    )
    return files | {"anomaly_maps": maps}


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
    summarize_healthy_residuals.main(
        **controls, output=tmp_path / "residuals.npz", threshold=tmp_path / "ixi.json"
    )
    score_segmentation.main(
        **patients,
        healthy_threshold=tmp_path / "ixi.json",
        postprocessing=PLAIN,
        modality="t2",
        threshold=tmp_path / "mslub.json",
        fits=True,
        scores=tmp_path / "mslub.tsv",
        lesions=tmp_path / "lesions.tsv",
        froc=tmp_path / "froc.tsv",
    )
    score_false_positives.main(
        **controls,
        postprocessing=PLAIN,
        thresholds=[tmp_path / "mslub.json"],
        healthy_threshold=tmp_path / "ixi.json",
        fitted_on=["mslub"],
        modality="t2",
        scores=tmp_path / "scores.tsv",
        shares=tmp_path / "shares.json",
    )
    assert "warning: a threshold from fewer than 5 patients" in capsys.readouterr().out
    return tmp_path


def test_a_threshold_from_almost_nothing_is_seen(thresholds):
    fitted, healthy, shares = (
        json.loads((thresholds / f"{name}.json").read_text()) for name in ("mslub", "ixi", "shares")
    )
    assert (fitted["subjects"], fitted["patients"], fitted["lesion_voxels"]) == (3, 1, 2)
    # Everything is called anomalous, since the lesion is the darkest there is.
    assert 0 <= fitted["threshold"] < 0.25
    values = np.linspace(0.001, 1, 1200, dtype=np.float32)[:800]
    assert (healthy["subjects"], healthy["brain_voxels"], healthy["share"]) == (2, 800, 0.01)
    assert healthy["threshold"] == pytest.approx(values[-9])
    assert shares["mslub"] == np.mean(values > fitted["threshold"])


def place(dataset, *, method="cddpm", modality="t2", fold=0):
    return {"method": method, "fold": fold, "dataset": dataset, "modality": modality}


def test_table_says_what_it_rests_on_and_warns(thresholds, capsys):
    files = write_small_table(
        "thresholds",
        thresholds,
        fitted=[thresholds / "mslub.json"],
        healthy=[thresholds / "ixi.json"],
        shares=[thresholds / "shares.json"],
        places_of_fitted=[place("mslub")],
        places_of_healthy=[place("ixi")],
    )
    table, page, latex = texts_of(files)
    (row,) = table.to_dict("records")
    assert (row["patients"], row["lesion_voxels"], row["healthy_subjects"]) == (1, 2, 2)
    assert row["healthy"] == "ixi" and row["share_above"] > 0.6
    warning = "Warning: the thresholds of MSLUB T2 rest on 1 patient with 2 lesion voxels."
    assert f"<strong>{warning}" in page and "2 of IXI" in page
    assert warning in capsys.readouterr().out
    assert warning in latex


def test_enough_patients_need_no_warning_and_healthy_scans_may_be_missing(tmp_path):
    for fold, voxels in enumerate((4000, 5000)):
        content = {"threshold": 0.2 + 0.2 * fold, "validation_dice": 0.5, "subjects": 9}
        content |= {"patients": 9, "lesion_voxels": voxels}
        (tmp_path / f"{fold}.json").write_text(json.dumps(content))
    files = write_small_table(
        "thresholds",
        tmp_path,
        fitted=[tmp_path / "0.json", tmp_path / "1.json"],
        healthy=[],
        shares=[],
        places_of_fitted=[place("wmh", method="ae", modality="t1", fold=fold) for fold in (0, 1)],
        places_of_healthy=[],
    )
    _, page, _ = texts_of(files)
    assert "Warning" not in page
    assert "4,000 to 5,000" in page and ">0.3<" in page


def test_nothing_fitted_is_a_header_and_a_line(tmp_path):
    names = ("fitted", "healthy", "shares", "places_of_fitted", "places_of_healthy")
    nothing = {name: [] for name in names}
    table, page, _ = texts_of(write_small_table("thresholds", tmp_path, **nothing))
    assert table.empty and "There are no scores" in page
