import json
import math

import numpy as np
import pandas as pd
import pytest

import map_anomalies
import score_reconstruction
import score_segmentation
from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.errors import SettingsError
from brainuad.io.tables import read_table, write_table

SHAPE = (12, 16, 14)
AFFINE = np.array([[2.0, 0, 0, -30], [0, 2, 0, -20], [0, 0, 2.5, 10], [0, 0, 0, 1]])
SETTINGS = {
    "order": ["erosion", "median"],
    "erosion_iterations": 1,
    "median_size": 3,
    "minimum_component": 8,
}
LESION = (slice(4, 9), slice(5, 11), slice(4, 9))


@pytest.fixture
def files(tmp_path):
    """Four subjects whose lesion is bright on flat tissue, and their anomaly maps.

    Their reconstructions are healthy but for a little everywhere.

    `gone` stands in the split but not in the slices: it was left out in preprocessing.
    """
    subjects = ["v1", "t1", "t2", "healthy"]
    images = np.zeros((4, *SHAPE), dtype=np.float32)
    brain = np.zeros((4, *SHAPE), dtype=bool)
    brain[:, :, 1:-1, 1:-1] = True
    images[brain] = 0.5
    reconstructions = images.copy()
    # A small residual on healthy tissue, so that the l1-ratio is .5 / .05.
    reconstructions[brain] = 0.45
    lesions = np.zeros((4, *SHAPE), dtype=np.uint8)
    for number in range(3):
        lesions[(number, *LESION)] = 1
        images[(number, *LESION)] = 0.95
    stack = SliceStack(
        images=images,
        brain_masks=brain,
        lesions=lesions,
        subjects=np.array(subjects),
        affines=np.tile(AFFINE, (4, 1, 1)),
        # The head of t1 was enlarged on its way to the grid; t2 came registered.
        native_voxel_ml=np.array([0.01, 0.006, np.nan, 0.01]),
    )
    write_slices(stack, tmp_path / "slices.npz")
    np.savez(
        tmp_path / "reconstructions.npz",
        names=np.array(subjects[::-1]),
        reconstructions=reconstructions[::-1],
    )
    rows = {"v1": "validation", "t1": "test", "gone": "test", "t2": "test", "healthy": "test"}
    write_table(
        pd.DataFrame({"subject": rows.keys(), "session": "", "partition": rows.values()}),
        tmp_path / "split.tsv",
    )
    data = {"slices": tmp_path / "slices.npz", "split": tmp_path / "split.tsv"}
    maps = tmp_path / "maps.npz"
    map_anomalies.main(
        **data,
        reconstructions=tmp_path / "reconstructions.npz",
        output=maps,
        score={"kind": "absolute"},
        partitions=["validation", "test"],
        postprocessing=SETTINGS,
    )
    return data | {"anomaly_maps": maps}


def test_maps_of_a_cohort(files, tmp_path):
    with np.load(files["anomaly_maps"]) as arrays:
        assert arrays["names"].tolist() == ["v1", "t1", "t2", "healthy"]
        maps, residuals = arrays["anomaly_maps"], arrays["mean_residual"]
    assert maps.dtype == np.float32 and maps.shape == (4, *SHAPE)
    # The centre of the lesion, tissue beside it, and the rim that erosion takes.
    assert maps[1, 6, 7, 6] == pytest.approx(0.5) and maps[1, 6, 2, 6] == pytest.approx(0.05)
    assert not maps[:, :, 1].any()
    # The measures are those of before.
    assert residuals[3] == pytest.approx(0.05)


def test_without_a_model_the_intensity_is_mapped(files, tmp_path):
    map_anomalies.main(
        slices=files["slices"],
        split=files["split"],
        reconstructions=None,
        output=tmp_path / "intensities.npz",
        score={"kind": "intensity"},
        partitions=["test", "test"],
        postprocessing=SETTINGS | {"order": []},
    )
    with np.load(files["slices"]) as slices, np.load(tmp_path / "intensities.npz") as made:
        assert made["names"].tolist() == ["t1", "t2", "healthy"]
        np.testing.assert_array_equal(made["anomaly_maps"], slices["images"][1:])
        # Tissue of .5, of which 150 of 12 x 14 x 12 voxels are a lesion of .95.
        share = 150 / (12 * 14 * 12)
        assert made["mean_residual"].tolist() == pytest.approx([0.5 + 0.45 * share] * 2 + [0.5])
        assert made["l1_ratio"][:2] == pytest.approx([0.95 / 0.5] * 2)
        assert np.isnan(made["l1_ratio"][2]) and np.isnan(made["l1_ratio_released"][2])


@pytest.mark.parametrize(
    ("kind", "in_lesion", "pictures"), [("own_map", 0.45, 0), ("absolute", 0.5, 3)]
)
def test_a_map_of_the_models_own_is_taken_as_it_is_and_not_pictured(
    kind, in_lesion, pictures, files, tmp_path
):
    map_anomalies.main(
        slices=files["slices"],
        split=files["split"],
        reconstructions=tmp_path / "reconstructions.npz",
        output=tmp_path / "own.npz",
        score={"kind": kind},
        partitions=["test"],
        postprocessing=SETTINGS | {"order": []},
    )
    with np.load(tmp_path / "own.npz") as made:
        assert made["anomaly_maps"][:2, 6, 7, 6] == pytest.approx(in_lesion)
        assert len(made["pictured"]) == pictures


def segmented(files, folder, *, fits=True):
    """The files with the threshold of the maps, and with the scores at it."""
    threshold, output = folder / "threshold.json", folder / "scores.tsv"
    healthy = folder / "healthy.json"
    healthy.write_text(json.dumps({"threshold": 0.01}))
    score_segmentation.main(
        **files,
        threshold=threshold,
        healthy_threshold=healthy,
        fits=fits,
        scores=output,
        lesions=folder / "lesions.tsv",
        froc=folder / "froc.tsv",
        postprocessing=SETTINGS,
        modality="t2",
    )
    return threshold, output


def test_threshold_then_scores(files, tmp_path, capsys):
    threshold, output = segmented(files, tmp_path)
    fitted = json.loads(threshold.read_text())
    assert fitted["subjects"] == 1
    assert fitted["threshold"] == pytest.approx((0.5 + 0.05) / 2)
    assert "not scored: gone" in capsys.readouterr().out
    scores = read_table(output)
    assert list(scores.columns) == ["subject", "session", "modality", "metric", "value"]
    assert list(scores["subject"].unique()) == ["t1", "t2", "healthy"]
    assert set(scores["modality"]) == {"t2"}
    found = scores.pivot_table(index="subject", columns="metric", values="value", dropna=False)
    assert found.shape == (3, 13)
    # So low that all of the eroded brain is called a lesion.
    assert 0 < found.loc["t1", "dice_healthy"] < 0.5 < found.loc["t1", "dice"]
    # In a 3x3x3 window the box keeps its faces (18 of 27 voxels inside) and loses its edges (12)
    # and corners (8): 150 - 8 - 4 * (3 + 4 + 3) voxels are left.
    assert found.loc["t1", "precision"] == 1
    assert found.loc["t1", "dice"] == pytest.approx(fitted["validation_dice"])
    assert found.loc["t1", "recall"] == pytest.approx(102 / 150)
    assert found.loc["t1", "l1_ratio"] == pytest.approx(10, rel=1e-4)
    # Voxels outside the brain, of the 12 x 16 x 14, have no residual.
    others = (12 * 14 * 12 - 150) / (12 * 16 * 14 - 150)
    assert found.loc["t1", "l1_ratio_released"] == pytest.approx(10 / others, rel=1e-4)
    # Of 12 x 14 x 12 brain voxels 150 are lesion, which count too.
    healthy_voxels, lesion_voxels = 12 * 14 * 12 - 150, 150
    assert found.loc["t1", "mean_residual"] == pytest.approx(
        (0.05 * healthy_voxels + 0.5 * lesion_voxels) / (12 * 14 * 12), rel=1e-5
    )
    for subject, voxel_ml in (("t1", 0.006), ("t2", 0.01)):
        assert found.loc[subject, "lesion_volume_ml"] == pytest.approx(5 * 6 * 5 * voxel_ml)
        assert found.loc[subject, "predicted_volume_ml"] == pytest.approx(102 * voxel_ml)
    healthy = found.loc["healthy"]
    assert healthy["predicted_volume_ml"] == 0
    assert healthy["mean_residual"] == pytest.approx(0.05, rel=1e-5)
    assert all(math.isnan(healthy[name]) for name in ("dice", "auprc", "recall", "l1_ratio"))


def test_no_threshold_without_validation_subjects(files, tmp_path):
    split = pd.DataFrame(
        {"subject": ["gone", "t1"], "session": "", "partition": ["validation", "test"]}
    )
    write_table(split, files["split"])
    with pytest.raises(SettingsError, match=r"^slices: none of the validation .*_left_out\.tsv"):
        segmented(files, tmp_path)
    assert not (tmp_path / "threshold.json").exists()


def test_a_given_threshold_needs_no_validation_subjects(files, tmp_path):
    split = pd.DataFrame({"subject": ["t1"], "session": "", "partition": ["test"]})
    write_table(split, files["split"])
    # Above the 0.5 of the lesion nothing is called anomalous.
    given = json.dumps({"threshold": 0.6})
    (tmp_path / "threshold.json").write_text(given, encoding="utf-8")
    threshold, output = segmented(files, tmp_path, fits=False)
    assert threshold.read_text(encoding="utf-8") == given
    values = read_table(output).set_index("metric")["value"]
    assert values["dice"] == values["predicted_volume_ml"] == 0
    assert values["auprc"] > 0.5


def test_reconstruction_scores(files, tmp_path):
    output = tmp_path / "scores.tsv"
    score_reconstruction.main(
        **files,
        reconstructions=tmp_path / "reconstructions.npz",
        output=output,
        modality="t2",
    )
    scores = read_table(output)
    assert list(scores.columns) == ["subject", "session", "modality", "metric", "value"]
    assert set(scores["modality"]) == {"t2"}
    assert scores["metric"].tolist() == ["l1", "ssim", "psnr", "mean_residual"] * 3
    healthy = scores[scores["subject"] == "healthy"]
    values = healthy.set_index("metric")["value"]
    inside = (14 * 12) / (16 * 14)
    assert values["l1"] == pytest.approx(0.05 * inside, rel=1e-5)
    assert values["psnr"] == pytest.approx(-10 * math.log10(0.05**2 * inside), rel=1e-5)
    assert 0.9 < values["ssim"] < 1
    # In the brain alone, without the background.
    assert values["mean_residual"] == pytest.approx(0.05, rel=1e-5)


def test_writing_the_same_numbers_again_gives_the_same_table(files, tmp_path):
    first, second = ([path.read_bytes() for path in segmented(files, tmp_path)] for _ in range(2))
    assert first == second
