"""The scripts that draw, on one small lesion set, from files to files."""

import json
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score
from small_report import PLAIN_LABELS, REGISTER, write_small_figure

import map_anomalies
import plot_panel
import plot_precision_recall
from brainuad.evaluation.metrics import ScoredVoxels
from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.tables import write_table

POSTPROCESSING = {
    "order": ["erosion", "median"],
    "erosion_iterations": 0,
    "median_size": 1,
    "minimum_component": 1,
}
METHODS = ["thresh", "cddpm_ens"]


def make_stack(generator):
    """Three ellipsoid brains of 4 mm voxels; each has a bright cube, the first the largest."""
    z, x, y = np.indices((6, 20, 24))
    brain = ((x - 9.5) / 9) ** 2 + ((y - 11.5) / 11) ** 2 + ((z - 2.5) / 4) ** 2 < 1
    images, lesions = [], []
    for size in (5, 3, 2):
        lesion = np.zeros(brain.shape, np.uint8)
        lesion[2:4, 6 : 6 + size, 8 : 8 + size] = 1
        lesion[4, 12, 12] = 2
        image = 0.3 + 0.05 * generator.random(brain.shape) + 0.5 * (lesion == 1)
        images.append((image * brain).astype(np.float32))
        lesions.append(lesion)
    return SliceStack(
        images=np.stack(images),
        brain_masks=np.stack([brain] * 3),
        lesions=np.stack(lesions),
        subjects=np.array(["big", "middle", "small"]),
        affines=np.stack([np.diag([4.0, 4.0, 4.0, 1.0])] * 3),
    )


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """Slices, split, anomaly maps and thresholds of one lesion set."""
    folder = tmp_path_factory.mktemp("evaluated")
    stack = make_stack(np.random.default_rng(0))
    write_slices(stack, folder / "slices.npz")
    split = pd.DataFrame(
        {"subject": stack.subjects, "session": "", "partition": ["test", "test", "test"]}
    )
    write_table(split, folder / "split.tsv")
    flat = np.where(stack.brain_masks, np.float32(0.32), np.float32(0))
    np.savez(folder / "flat.npz", names=stack.subjects, reconstructions=flat)
    for method in METHODS:
        without = method == "thresh"
        map_anomalies.main(
            slices=folder / "slices.npz",
            split=folder / "split.tsv",
            reconstructions=None if without else folder / "flat.npz",
            output=folder / f"{method}.npz",
            score={"kind": "intensity" if without else "absolute"},
            partitions=["test"],
            postprocessing=POSTPROCESSING,
        )
        (folder / f"{method}.json").write_text(json.dumps({"threshold": 0.2}), encoding="utf-8")
    return {
        "slices": folder / "slices.npz",
        "split": folder / "split.tsv",
        "anomaly_maps": [folder / f"{method}.npz" for method in METHODS],
        "thresholds": [folder / f"{method}.json" for method in METHODS],
        "methods": METHODS,
        "cohort": ["mslub", "t2"],
        "labels": PLAIN_LABELS,
    }


@pytest.fixture(scope="module")
def for_panel(evaluated):
    """What a panel takes besides."""
    return evaluated | {
        "postprocessing": POSTPROCESSING,
    }


def check_figure(draw, tmp_path):
    """Draw twice, compare bytes, parse; gives the SVG as text."""
    files = []
    for attempt in ("first", "second"):
        svg, png = tmp_path / attempt / "a.svg", tmp_path / attempt / "a.png"
        draw(svg=svg, png=png)
        ElementTree.parse(svg)
        assert png.stat().st_size > 1000
        files.append((svg.read_bytes(), png.read_bytes()))
    assert files[0] == files[1]
    return files[0][0].decode()


def test_panel(for_panel, tmp_path):
    svg = check_figure(lambda **files: plot_panel.main(**for_panel, **files), tmp_path)
    # Three subjects; Thresh has two columns, cDDPM ENS three: (1 + 2 + 3) x 3 pictures.
    assert len(re.findall(r'<g id="axes_\d+">', svg)) == 18 + 2


def test_panel_without_lesions_says_so(for_panel, tmp_path):
    stack = make_stack(np.random.default_rng(0))
    healthy = SliceStack(**{**vars(stack), "lesions": np.zeros_like(stack.lesions)})
    write_slices(healthy, tmp_path / "slices.npz")
    changed = for_panel | {"slices": tmp_path / "slices.npz"}
    check_figure(lambda **files: plot_panel.main(**changed, **files), tmp_path)


@pytest.fixture
def for_curves(evaluated):
    """What curves take besides."""
    styles = REGISTER.figures["precision_recall_mslub_t2"].params["styles"]
    return evaluated | {"styles": styles}


def test_precision_recall(for_curves, tmp_path):
    check_figure(lambda **files: plot_precision_recall.main(**for_curves, **files), tmp_path)


@pytest.mark.parametrize("change", ["nobody", "no lesion"])
def test_precision_recall_without_a_lesion_says_so(for_curves, tmp_path, change):
    stack = make_stack(np.random.default_rng(0))
    if change == "nobody":
        stack = SliceStack(**{**vars(stack), "subjects": np.array(["x", "y", "z"])})
    else:
        stack = SliceStack(**{**vars(stack), "lesions": np.zeros_like(stack.lesions)})
    write_slices(stack, tmp_path / "slices.npz")
    changed = for_curves | {"slices": tmp_path / "slices.npz"}
    svg = check_figure(lambda **files: plot_precision_recall.main(**changed, **files), tmp_path)
    assert 'id="axes_1"' not in svg


def test_area_of_the_pooled_curve_is_that_of_scikit_learn():
    generator = np.random.default_rng(1)
    lesion, healthy = generator.random(400).round(2) + 0.2, generator.random(3000).round(2)
    zeros_lesion, zeros_healthy = 50, 2000
    truth = np.repeat([1, 0, 1, 0], [400, 3000, zeros_lesion, zeros_healthy])
    scores = np.concatenate([lesion, healthy, np.zeros(zeros_lesion + zeros_healthy)])
    voxels = ScoredVoxels(
        lesion=lesion, healthy=healthy[healthy > 0], lesion_voxels=450, voxels=len(scores)
    )
    recalls, precisions, area = plot_precision_recall.curve(voxels)
    assert area == pytest.approx(average_precision_score(truth, scores))
    assert recalls[-1] == pytest.approx(400 / 450)
    assert len(recalls) == len(precisions) <= plot_precision_recall.POINTS


def test_operating_point_by_hand():
    voxels = ScoredVoxels(
        lesion=np.array([0.9, 0.4]), healthy=np.array([0.5, 0.1]), lesion_voxels=4, voxels=20
    )
    assert plot_precision_recall.operating_point(voxels, 0.3) == (0.5, pytest.approx(2 / 3))
    recall, precision = plot_precision_recall.operating_point(voxels, 1.0)
    assert recall == 0
    assert np.isnan(precision)


def test_training(tmp_path):
    columns = ["epoch", "step", "training_loss", "validation_loss", "seconds"]
    history = pd.DataFrame([[1, 10, 0.3, 0.2, 1.0], [2, 20, 0.2, 0.1, 1.0]], columns=columns)
    write_table(history, tmp_path / "history.tsv")
    given = {
        "histories": [tmp_path / "history.tsv"] * 3,
        "trainings": ["pretraining/t2/fold0", "pretraining/t2/fold1", "mine/t2/fold0"],
    }
    svg = check_figure(lambda **files: write_small_figure("training", **given, **files), tmp_path)
    assert len(re.findall(r'<g id="axes_\d+">', svg)) == 2


def test_dice_without_a_scored_subject_says_so(tmp_path):
    columns = ["subject", "session", "modality", "metric", "value"]
    write_table(pd.DataFrame(columns=columns), tmp_path / "scores.tsv")
    for count in (0, 1):
        svg = check_figure(
            lambda count=count, **files: write_small_figure(
                "dice_by_volume",
                scores=[tmp_path / "scores.tsv"] * count,
                methods=["ddpm"] * count,
                folds=[0] * count,
                datasets=["mslub"] * count,
                **files,
            ),
            tmp_path / str(count),
        )
        assert 'id="axes_1"' not in svg


def test_dice_by_volume(tmp_path):
    rows = [
        (f"s{place}", "", "t2", metric, value)
        for place in range(3)
        for metric, value in (("dice", 0.1 * place), ("lesion_volume_ml", float(place)))
    ]
    columns = ["subject", "session", "modality", "metric", "value"]
    write_table(pd.DataFrame(rows, columns=columns), tmp_path / "scores.tsv")
    check_figure(
        lambda **files: write_small_figure(
            "dice_by_volume",
            scores=[tmp_path / "scores.tsv"],
            methods=["ddpm"],
            folds=[0],
            datasets=["mslub"],
            **files,
        ),
        tmp_path,
    )
