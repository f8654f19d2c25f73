import numpy as np
import pytest

from brainuad.errors import SettingsError
from brainuad.evaluation.metrics import dice
from brainuad.evaluation.thresholds import Threshold, best_threshold


def cases(seed: int, levels: int | None) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    lesions = generator.choice(3, p=[0.85, 0.1, 0.05], size=(3, 4, 6, 5)).astype(np.uint8)
    scores = generator.random(lesions.shape, dtype=np.float32)
    scores += (lesions == 1) * np.float32(0.4)
    if levels:
        scores = np.round(scores * levels).astype(np.float32) / levels
    scores[generator.random(lesions.shape) < 0.4] = 0
    return scores, lesions


@pytest.mark.parametrize("levels", [None, 6])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_best_of_every_threshold_there_is(seed, levels):
    scores, lesions = cases(seed, levels)
    every = [dice(scores > value, lesions) for value in np.unique(scores)]
    threshold = best_threshold(scores, lesions)
    assert threshold.dice == pytest.approx(max(every), rel=1e-12)
    assert dice(scores > threshold.value, lesions) == pytest.approx(threshold.dice, rel=1e-12)


def test_by_hand_halfway_between_the_scores_it_separates():
    scores = np.array([[0.0, 0.25, 0.75, 1.0]], dtype=np.float32)
    lesions = np.array([[1, 0, 1, 1]], dtype=np.uint8)
    # Above .5: two hits of three, no false alarm, Dice 4 / 5.
    assert best_threshold(scores, lesions) == Threshold(value=0.5, dice=0.8)


def test_neighbouring_floats_are_still_separated():
    high = np.float32(0.3)
    low = np.nextafter(high, np.float32(0))
    scores = np.array([[low, high]], dtype=np.float32)
    lesions = np.array([[0, 1]], dtype=np.uint8)
    threshold = best_threshold(scores, lesions)
    assert (scores > threshold.value).tolist() == [[False, True]]
    assert threshold.dice == 1


def test_the_highest_of_equal_thresholds_wins():
    # Above .5 and above .05 both reach Dice 2/3.
    scores = np.array([[0.9, 0.4, 0.3, 0.1]])
    lesions = np.array([[1, 0, 0, 1]], dtype=np.uint8)
    threshold = best_threshold(scores, lesions)
    assert threshold.dice == pytest.approx(2 / 3)
    assert threshold.value == pytest.approx(0.65)


def test_lesions_that_score_nothing_predict_nothing():
    scores = np.array([[0.0, 0.5, 0.2]])
    lesions = np.array([[1, 0, 0]], dtype=np.uint8)
    threshold = best_threshold(scores, lesions)
    assert threshold.dice == 0
    assert not (scores > threshold.value).any()


def test_volumes_may_come_one_by_one():
    scores, lesions = cases(5, None)
    assert best_threshold(iter(scores), iter(lesions)) == best_threshold(scores, lesions)


def test_no_lesion_at_all_is_a_clear_error():
    scores, lesions = cases(6, None)
    with pytest.raises(SettingsError, match="validation subjects have no lesion"):
        best_threshold(scores, lesions * (lesions == 2))
    with pytest.raises(SettingsError, match="none of the validation subjects came through"):
        best_threshold([], [])
