import numpy as np
import pytest

from brainuad.evaluation.metrics import dice
from brainuad.evaluation.thresholds import (
    Threshold,
    best_threshold,
    healthy_scores,
    rests_on_little,
)
from brainuad.io.errors import SettingsError


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
    threshold = best_threshold([(scores, lesions)])
    assert threshold.dice == pytest.approx(max(every), rel=1e-12)
    assert dice(scores > threshold.value, lesions) == pytest.approx(threshold.dice, rel=1e-12)


def test_by_hand_halfway_between_the_scores_it_separates():
    scores = np.array([[0.0, 0.25, 0.75, 1.0]], dtype=np.float32)
    lesions = np.array([[1, 0, 1, 1]], dtype=np.uint8)
    # Above .5: two hits of three, no false alarm, Dice 4 / 5.
    assert best_threshold([(scores, lesions)]) == Threshold(value=0.5, dice=0.8)


def test_neighbouring_floats_are_still_separated():
    high = np.float32(0.3)
    low = np.nextafter(high, np.float32(0))
    scores = np.array([[low, high]], dtype=np.float32)
    lesions = np.array([[0, 1]], dtype=np.uint8)
    threshold = best_threshold([(scores, lesions)])
    assert (scores > threshold.value).tolist() == [[False, True]]
    assert threshold.dice == 1


def test_the_highest_of_equal_thresholds_wins():
    # Above .5 and above .05 both reach Dice 2/3.
    scores = np.array([[0.9, 0.4, 0.3, 0.1]])
    lesions = np.array([[1, 0, 0, 1]], dtype=np.uint8)
    threshold = best_threshold([(scores, lesions)])
    assert threshold.dice == pytest.approx(2 / 3)
    assert threshold.value == pytest.approx(0.65)


def test_lesions_that_score_nothing_predict_nothing():
    scores = np.array([[0.0, 0.5, 0.2]])
    lesions = np.array([[1, 0, 0]], dtype=np.uint8)
    threshold = best_threshold([(scores, lesions)])
    assert threshold.dice == 0
    assert not (scores > threshold.value).any()


def test_volumes_may_come_one_by_one():
    scores, lesions = cases(5, None)
    assert best_threshold(zip(scores, lesions, strict=True)) == best_threshold([(scores, lesions)])


def test_no_lesion_at_all_is_a_clear_error():
    scores, lesions = cases(6, None)
    with pytest.raises(SettingsError, match="validation subjects have no lesion"):
        best_threshold([(scores, lesions * (lesions == 2))])
    with pytest.raises(SettingsError, match="all validation subjects were left out"):
        best_threshold([])


def test_healthy_voxels_by_hand():
    scores = np.array([[0.0, 0.1, 0.2, 0.3], [0.4, 0.5, 0.5, 9.0]], np.float32)
    brain = np.array([[1, 1, 1, 1], [1, 1, 1, 0]], bool)
    healthy = healthy_scores(zip(scores, brain, strict=True))
    assert healthy.voxels == 7
    # Of seven voxels .5 twice, .4, .3, .2, .1 and 0; what lies outside the brain does not count.
    assert healthy.share_above(0.0) == pytest.approx(6 / 7)
    assert healthy.share_above(np.float32(0.4)) == pytest.approx(2 / 7)
    assert healthy.share_above(0.6) == 0
    assert healthy.threshold_at(0.01) == pytest.approx(0.5)
    # Two voxels may exceed it, and with .4 two do; one may, and with .5 none does.
    assert healthy.threshold_at(0.3) == pytest.approx(0.4)
    assert healthy.threshold_at(0.2) == pytest.approx(0.5)
    assert healthy.threshold_at(0.9) == 0


def test_one_percent_of_many_healthy_voxels():
    scores = np.random.default_rng(0).random((4, 50, 50))
    healthy = healthy_scores([(scores, np.ones(scores.shape, bool))])
    threshold = healthy.threshold_at(0.01)
    assert np.count_nonzero(scores > threshold) == 100
    assert threshold == pytest.approx(np.sort(scores.ravel())[-101])
    assert healthy.share_above(threshold) == pytest.approx(0.01)


def test_no_healthy_volume_is_one_line():
    with pytest.raises(SettingsError, match="all healthy validation subjects were"):
        healthy_scores([])


@pytest.mark.parametrize(
    ("patients", "voxels", "little"),
    [(1, 12, True), (4, 90_000, True), (100, 999, True), (5, 1000, False)],
)
def test_what_a_threshold_needs(patients, voxels, little):
    assert rests_on_little(patients, voxels) == little
