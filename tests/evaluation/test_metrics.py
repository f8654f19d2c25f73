import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from brainuad.evaluation import metrics

LESIONS = np.array([1, 1, 1, 0, 0, 0, 2, 2], dtype=np.uint8)
PREDICTION = np.array([1, 1, 0, 1, 0, 0, 1, 0], dtype=bool)


def random_case(seed: int, *, shape=(6, 10, 9), levels: int | None = None):
    """Scores with many zeros, ties if `levels` is given, lesions that score higher."""
    generator = np.random.default_rng(seed)
    lesions = (generator.random(shape) < 0.1).astype(np.uint8)
    scores = generator.random(shape, dtype=np.float32) + lesions * np.float32(0.3)
    if levels:
        scores = np.round(scores * levels).astype(np.float32) / levels
    scores[generator.random(shape) < 0.5] = 0
    return scores, lesions


def test_confusion_by_hand_drops_ignored_voxels():
    assert metrics.confusion(PREDICTION, LESIONS) == metrics.Confusion(2, 1, 1)
    assert metrics.dice(PREDICTION, LESIONS) == pytest.approx(2 / 3)
    assert metrics.precision(PREDICTION, LESIONS) == pytest.approx(2 / 3)
    assert metrics.recall(PREDICTION, LESIONS) == pytest.approx(2 / 3)


def test_dice_as_monai():
    import torch
    from monai.metrics import compute_dice

    scores, lesions = random_case(0)
    prediction = scores > 0.6
    expected = compute_dice(
        torch.tensor(prediction)[None, None], torch.tensor(lesions.astype(np.float32))[None, None]
    )
    assert metrics.dice(prediction, lesions) == pytest.approx(expected.item(), abs=1e-6)


def test_undefined_segmentation_scores_are_nan():
    nothing, healthy = np.zeros(4, dtype=bool), np.zeros(4, dtype=np.uint8)
    everything, lesion = ~nothing, np.ones(4, dtype=np.uint8)
    assert math.isnan(metrics.dice(nothing, healthy))
    assert math.isnan(metrics.dice(everything, healthy))
    assert metrics.dice(nothing, lesion) == 0
    assert math.isnan(metrics.precision(nothing, lesion))
    assert math.isnan(metrics.recall(everything, healthy))
    assert math.isnan(metrics.average_precision(np.ones(4), healthy))


@pytest.mark.parametrize("levels", [None, 5, 1])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_average_precision_as_scikit_learn(seed, levels):
    scores, lesions = random_case(seed, levels=levels)
    expected = average_precision_score(lesions.ravel(), scores.ravel())
    assert metrics.average_precision(scores, lesions) == pytest.approx(expected, rel=1e-12)


def test_average_precision_of_lesions_that_score_nothing():
    scores = np.array([0, 0, 0.5, 0.2])
    lesions = np.array([1, 0, 0, 0], dtype=np.uint8)
    # Found only when everything is called a lesion: precision 1/4 at recall 1.
    assert metrics.average_precision(scores, lesions) == 0.25


def test_average_precision_leaves_out_ignored_voxels():
    scores, lesions = random_case(4)
    lesions[:, :3] = 2
    kept = lesions != 2
    expected = average_precision_score(lesions[kept], scores[kept])
    assert metrics.average_precision(scores, lesions) == pytest.approx(expected, rel=1e-12)


def test_negative_scores_and_nan_are_refused():
    lesions = np.array([1, 0], dtype=np.uint8)
    for bad in (-0.5, np.nan):
        with pytest.raises(ValueError, match=">= 0"):
            metrics.average_precision(np.array([bad, 1.0]), lesions)


def test_unequal_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(8,\).*\(7,\)"):
        metrics.dice(PREDICTION, LESIONS[:-1])


def test_detections_are_points_of_the_curve():
    scores, lesions = random_case(5, levels=20)
    voxels = metrics.scored_voxels(scores, lesions)
    cuts, hits, alarms = metrics.detections(voxels)
    precisions, recalls, thresholds = precision_recall_curve(lesions.ravel(), scores.ravel())
    for cut, hit, alarm in zip(cuts, hits, alarms, strict=True):
        point = np.flatnonzero(thresholds == cut)[0]
        assert hit / (hit + alarm) == pytest.approx(precisions[point])
        assert hit / voxels.lesion_voxels == pytest.approx(recalls[point])


def test_pooled_voxels_are_those_of_both_volumes():
    first, second = random_case(6, levels=7), random_case(7, levels=7)
    both = metrics.pooled([metrics.scored_voxels(*first), metrics.scored_voxels(*second)])
    one = metrics.scored_voxels(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))
    assert (both.lesion_voxels, both.voxels) == (one.lesion_voxels, one.voxels)
    for part, expected in zip(metrics.detections(both), metrics.detections(one), strict=True):
        assert np.array_equal(part, expected)


def similar_volumes(seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    image = generator.random((13, 18, 15), dtype=np.float32)
    image[:, :5] = 0
    noise = generator.normal(scale=0.1, size=image.shape).astype(np.float32)
    return image, np.clip(image * np.float32(0.9) + noise, 0, 1)


def test_ssim_and_psnr_as_monai():
    import torch
    from monai.metrics import PSNRMetric, SSIMMetric

    image, reconstruction = similar_volumes(8)
    pair = [torch.tensor(volume)[None, None] for volume in (reconstruction, image)]
    expected_ssim = SSIMMetric(spatial_dims=3)(*pair).item()
    expected_psnr = PSNRMetric(max_val=1.0)(*pair).item()
    assert metrics.ssim(image, reconstruction) == pytest.approx(expected_ssim, abs=1e-5)
    assert metrics.psnr(image, reconstruction) == pytest.approx(expected_psnr, abs=1e-4)
    assert 0.3 < expected_ssim < 0.99


def test_equal_volumes_are_perfect():
    image, _ = similar_volumes(9)
    assert metrics.ssim(image, image) == pytest.approx(1)
    assert metrics.psnr(image, image) == math.inf
    assert metrics.l1(image, image) == 0


def test_ssim_refuses_a_volume_smaller_than_its_window():
    with pytest.raises(ValueError, match=r"11.*\(10, 20, 20\)"):
        metrics.ssim(np.zeros((10, 20, 20)), np.zeros((10, 20, 20)))


def test_l1_and_psnr_by_hand():
    image, reconstruction = np.zeros(4), np.array([0.1, -0.1, 0.1, -0.1])
    assert metrics.l1(image, reconstruction) == pytest.approx(0.1)
    assert metrics.psnr(image, reconstruction) == pytest.approx(20)


def test_l1_ratio_by_hand():
    residual = np.array([0.6, 0.4, 0.1, 0.3, 9.0, 9.0, 9.0])
    lesions = np.array([1, 1, 0, 0, 2, 0, 1], dtype=np.uint8)
    brain = np.array([1, 1, 1, 1, 1, 0, 0], dtype=bool)
    assert metrics.l1_ratio(residual, lesions, brain) == pytest.approx(0.5 / 0.2)
    assert math.isnan(metrics.l1_ratio(residual, np.zeros_like(lesions), brain))
    assert math.isnan(metrics.l1_ratio(residual, np.ones_like(lesions), brain))
    assert math.isnan(metrics.l1_ratio(residual * (lesions == 1), lesions, brain))


def test_l1_ratio_as_released_by_hand():
    residual = np.array([0.6, 0.4, 0.1, 0.3, 9.0, 0.0, 0.2])
    lesions = np.array([1, 1, 0, 0, 2, 0, 1], dtype=np.uint8)
    # Lesions .6, .4 and .2; all others .1, .3 and 0; what is ignored is neither.
    assert metrics.l1_ratio_released(residual, lesions) == pytest.approx(0.4 / (0.4 / 3))
    assert math.isnan(metrics.l1_ratio_released(residual, np.zeros_like(lesions)))
    assert math.isnan(metrics.l1_ratio_released(residual * (lesions == 1), lesions))


def test_volume_in_millilitres():
    assert metrics.volume_ml(np.arange(100) < 40, 0.02) == pytest.approx(0.8)
