import gc
import math
import weakref

import numpy as np
import pandas as pd
import pytest

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.evaluation.calibration import fitted_beside_best, summarize_thresholds
from brainuad.evaluation.metrics import dice
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.thresholds import (
    CANDIDATES,
    ON_TEST,
    best_threshold,
    best_threshold_on_test,
    scores_at,
)

BOOTSTRAP = BootstrapSettings(rounds=50, confidence=0.9, seed=3)
SETTINGS = PostprocessingSettings(
    order=("erosion", "median"), erosion_iterations=0, median_size=1, minimum_component=2
)
COLUMNS = ["method", "dataset", "modality", "fold", "subject", "fitted_on", "metric", "value"]


def volumes(count: int, size: int, seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Noisy score maps whose lesions score higher, on a scale that differs between volumes."""
    generator = np.random.default_rng(seed)
    maps, lesions = [], []
    for _ in range(count):
        lesion = (generator.random((size, size, size)) < 0.1).astype(np.uint8)
        lesion[0] = 2
        noise = generator.random(lesion.shape) * generator.uniform(0.5, 2)
        maps.append((noise + 0.5 * (lesion == 1)).astype(np.float32))
        lesions.append(lesion)
    return maps, lesions


def mean_dice(maps: list, lesions: list, threshold: float) -> float:
    return float(
        np.nanmean(
            [dice(score > threshold, lesion) for score, lesion in zip(maps, lesions, strict=True)]
        )
    )


@pytest.mark.parametrize("seed", [3, 6])
def test_best_threshold_as_brute_force(seed):
    maps, lesions = volumes(3, 6, seed)
    best = best_threshold_on_test(zip(maps, lesions, strict=True))
    cuts = np.unique(np.concatenate([m.ravel() for m in maps]))
    reachable = [mean_dice(maps, lesions, cut) for cut in cuts]
    # Of 216 voxels a volume, one or two may lie between two candidates.
    assert max(reachable) - 5e-3 < best.dice <= max(reachable) + 1e-9
    assert mean_dice(maps, lesions, best.value) == pytest.approx(best.dice)
    # That of the pooled voxels is another one, and not better.
    of_pooled = best_threshold(zip(maps, lesions, strict=True))
    assert mean_dice(maps, lesions, of_pooled.value) < best.dice


def test_best_threshold_of_many_scores_is_close_to_the_best():
    maps, lesions = volumes(4, 24, seed=2)
    best = best_threshold_on_test(zip(maps, lesions, strict=True))
    grid = [mean_dice(maps, lesions, value) for value in np.linspace(0, 2.5, 400)]
    assert best.dice > max(grid) - 1e-3
    assert mean_dice(maps, lesions, best.value) == pytest.approx(best.dice)


def test_best_threshold_by_hand():
    # Two volumes: at .5 the Dice are 1 and 2/3, their mean 5/6; at .7 they are 1 and 0.
    maps = [np.array([[[0.7, 0.1, 0.0]]]), np.array([[[0.5, 0.6, 0.0]]])]
    lesion, healthy = np.array([[[1, 0, 0]]], np.uint8), np.zeros((1, 1, 3), np.uint8)
    best = best_threshold_on_test([(maps[0], lesion), (maps[1], lesion), (maps[0], healthy)])
    assert best.dice == pytest.approx(5 / 6)
    # The highest candidate that still finds the .5.
    assert 0.5 * 0.999 < best.value < 0.5


def test_a_score_that_is_a_candidate_is_found():
    lesion, score = np.array([[[1, 0]]], np.uint8), CANDIDATES[12345]
    below = np.nextafter(score, np.float32(0))
    best = best_threshold_on_test([(np.array([[[score, below]]]), lesion)])
    assert best.dice == 1 and best.value == float(below)


def test_volumes_are_let_go_one_by_one():
    alive = []

    def pairs():
        for number in range(4):
            scores = np.full((2, 8, 8), 0.1 + 0.1 * number, np.float32)
            alive.append(weakref.ref(scores))
            yield scores, np.ones(scores.shape, np.uint8)
            del scores
            gc.collect()
            # The loop of the reader still names the last one.
            assert sum(reference() is not None for reference in alive) <= 1

    assert best_threshold_on_test(pairs()).dice == 1


def test_no_lesion_and_no_score():
    blank, lesion = np.zeros((1, 1, 2)), np.array([[[1, 0]]], np.uint8)
    missed = best_threshold_on_test([(blank, lesion), (blank, lesion)])
    assert missed.value == math.inf and missed.dice == 0
    nothing = best_threshold_on_test([(blank, 0 * lesion)])
    assert nothing.value == math.inf and math.isnan(nothing.dice)


def test_scores_at_by_hand():
    anomaly = np.array([[[0.9, 0.8, 0.1, 0.5]]])
    lesions = np.array([[[1, 1, 0, 2]]], np.uint8)
    # A component of one voxel is removed.
    thresholds = {"wmh": 0.5, "atlas": 0.85, ON_TEST: 0.05}
    rows = scores_at(anomaly, lesions, 0.008, thresholds=thresholds, settings=SETTINGS)
    assert [(name, metric) for name, metric, _ in rows[:2]] == [
        ("wmh", "dice"),
        ("wmh", "predicted_volume_ml"),
    ]
    values = [value for *_, value in rows]
    assert values == pytest.approx([1, 0.016, 0, 0, 0.8, 0.024])


def test_healthy_scans_have_volume_and_no_dice():
    rows = scores_at(
        np.ones((1, 1, 5)),
        np.zeros((1, 1, 5), np.uint8),
        0.001,
        thresholds={"wmh": 0.5},
        settings=SETTINGS,
    )
    assert math.isnan(rows[0][2]) and rows[1] == ("wmh", "predicted_volume_ml", 0.005)


def calibration_scores() -> pd.DataFrame:
    means = {
        ("wmh", "wmh"): 0.4,
        ("wmh", "atlas"): 0.1,
        ("wmh", ON_TEST): 0.5,
        ("atlas", "atlas"): 0.6,
        ("atlas", "wmh"): 0.7,
    }
    rows = [
        ("ae", dataset, "t1", 0, f"s{number}", fitted_on, metric, mean + shift)
        for (dataset, fitted_on), mean in means.items()
        for number, shift in enumerate((-0.05, 0.05))
        for metric in ("dice", "predicted_volume_ml")
    ]
    rows.append(("ae", "ixi", "t1", 0, "s0", "wmh", "dice", math.nan))
    return pd.DataFrame(rows, columns=COLUMNS)


def test_matrix_by_hand():
    table = summarize_thresholds(calibration_scores(), BOOTSTRAP)
    assert set(table["metric"]) == {"dice"} and set(table["dataset"]) == {"wmh", "atlas"}
    rows = table.set_index(["dataset", "fitted_on"])
    assert rows["mean"].to_dict()[("atlas", "wmh")] == pytest.approx(0.7)
    assert rows["to_own"].to_dict() == {
        ("wmh", "wmh"): pytest.approx(0),
        ("wmh", "atlas"): pytest.approx(-0.3),
        ("wmh", ON_TEST): pytest.approx(0.1),
        ("atlas", "atlas"): pytest.approx(0),
        ("atlas", "wmh"): pytest.approx(0.1),
    }


def test_fitted_beside_best_by_hand():
    table = fitted_beside_best(summarize_thresholds(calibration_scores(), BOOTSTRAP))
    wmh, atlas = table.to_dict("records")
    assert (wmh["fitted"], wmh["best"]) == (pytest.approx(0.4), pytest.approx(0.5))
    assert wmh["difference"] == pytest.approx(-0.1)
    assert atlas["fitted"] == pytest.approx(0.6) and math.isnan(atlas["best"])


def test_no_scores_give_no_rows():
    for scores in (calibration_scores().iloc[:0], calibration_scores().iloc[:0, :5]):
        table = summarize_thresholds(scores, BOOTSTRAP)
        assert table.empty and fitted_beside_best(table).empty
