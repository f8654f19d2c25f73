"""The SSIM at several scales, against the formulas written out voxel by voxel."""

import itertools
import math

import numpy as np
import pytest
import torch
from monai.metrics.regression import compute_ssim_and_cs

from brainuad.io.errors import SettingsError
from brainuad.scores import load_score

RELEASED = (0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7)


def mirrored(place, length):
    """A place beyond the border as the one inside it that a mirror in the outermost voxel shows."""
    if length == 1:
        return 0
    place = abs(place) % (2 * (length - 1))
    return min(place, 2 * (length - 1) - place)


def ssim_by_hand(image, reconstruction, sigma):
    """The textbook's formula, the window about each voxel summed up in float64."""
    reach = int(3.5 * sigma + 0.5)
    offsets = list(itertools.product(range(-reach, reach + 1), repeat=3))
    weights = [math.exp(-sum(step**2 for step in offset) / (2 * sigma**2)) for offset in offsets]
    total = sum(weights)
    c1, c2 = ((share * max(np.ptp(image), np.ptp(reconstruction))) ** 2 for share in (0.01, 0.03))
    found = np.empty(image.shape)
    for place in np.ndindex(image.shape):
        sums = np.zeros(5)
        for weight, offset in zip(weights, offsets, strict=True):
            near = tuple(
                mirrored(middle + step, length)
                for middle, step, length in zip(place, offset, image.shape, strict=True)
            )
            x, y = float(image[near]), float(reconstruction[near])
            sums += weight / total * np.array([x, y, x * x, y * y, x * y])
        x, y, xx, yy, xy = sums
        similarity = (2 * x * y + c1) * (2 * (xy - x * y) + c2)
        similarity /= (x * x + y * y + c1) * (xx - x * x + yy - y * y + c2)
        found[place] = similarity
    return found


def score_by_hand(image, reconstruction, brain_mask, sigmas):
    similarities = np.array([ssim_by_hand(image, reconstruction, sigma) for sigma in sigmas])
    weights = np.exp(-similarities)
    weights /= weights.sum(axis=0)
    return np.clip(1 - (weights * similarities).sum(axis=0), 0, None) * brain_mask


def volumes(shape, seed=0):
    random = np.random.default_rng(seed)
    image, noise = np.float32(1.4) * random.random((2, *shape), dtype=np.float32)
    return image, (0.6 * image + 0.4 * noise).astype(np.float32), random.random(shape) < 0.7


@pytest.mark.parametrize("sigmas", [(0.3,), (0.5, 0.9)])
def test_the_map_is_that_of_the_formula(sigmas):
    image, reconstruction, brain_mask = volumes((3, 4, 5))
    found = load_score({"kind": "ssim_ensemble", "sigmas": list(sigmas)})(
        image, reconstruction, brain_mask
    )
    expected = score_by_hand(image, reconstruction, brain_mask, sigmas)
    assert found.dtype == np.float32 and found.shape == image.shape
    assert expected.max() > 0.3
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_released_windows_are_the_default():
    image, reconstruction, brain_mask = volumes((1, 2, 3))
    found = load_score({"kind": "ssim_ensemble"})(image, reconstruction, brain_mask)
    expected = score_by_hand(image, reconstruction, brain_mask, RELEASED)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_window_gives_the_similarity_of_monai():
    image, reconstruction, _ = volumes((10, 20, 24), seed=1)
    found = 1 - load_score({"kind": "ssim_ensemble", "sigmas": [1.0]})(
        image, reconstruction, np.ones(image.shape, bool)
    )
    pair = [torch.from_numpy(volume)[None, None] for volume in (image, reconstruction)]
    window = {"kernel_size": (9, 9, 9), "kernel_sigma": (1.0, 1.0, 1.0)}
    widest = float(max(np.ptp(image), np.ptp(reconstruction)))
    expected, _ = compute_ssim_and_cs(*pair, spatial_dims=3, data_range=widest, **window)
    # MONAI gives the windows alone that lie inside.
    np.testing.assert_allclose(found[4:-4, 4:-4, 4:-4], expected[0, 0].numpy(), atol=1e-5)


def test_windows_that_find_less_similarity_weigh_more():
    image, reconstruction, brain_mask = volumes((4, 5, 6))
    score = load_score({"kind": "ssim_ensemble", "sigmas": [0.3, 1.1]})
    found = score(image, reconstruction, brain_mask)
    alone = [
        load_score({"kind": "ssim_ensemble", "sigmas": [sigma]})(image, reconstruction, brain_mask)
        for sigma in (0.3, 1.1)
    ]
    assert (found >= np.mean(alone, axis=0) - 1e-6).all()
    assert (found > np.mean(alone, axis=0) + 1e-3).any()


def test_equal_volumes_are_not_anomalous_anywhere():
    image, _, brain_mask = volumes((6, 7, 8))
    found = load_score({"kind": "ssim_ensemble"})(image, image.copy(), brain_mask)
    assert found.min() >= 0 and found.max() < 1e-4


@pytest.mark.parametrize("values", [(0, 0), (1, 1), (0, 1), (0.5, 0.25)])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 8, 8), (3, 4, 5)])
def test_constant_volumes_differ_by_their_luminance_alone(values, shape):
    image, reconstruction = (np.full(shape, value, np.float32) for value in values)
    found = load_score({"kind": "ssim_ensemble"})(image, reconstruction, np.ones(shape, bool))
    x, y = values
    expected = 1 - (2 * x * y + 1e-4) / (x * x + y * y + 1e-4)
    np.testing.assert_allclose(found, np.full(shape, expected), atol=1e-3)


def test_without_a_brain_nothing_is_anomalous():
    image, reconstruction, _ = volumes((3, 4, 5))
    found = load_score({"kind": "ssim_ensemble"})(image, reconstruction, np.zeros((3, 4, 5), bool))
    assert not found.any() and found.dtype == np.float32


def test_what_does_not_fit_is_told():
    image, reconstruction, brain_mask = volumes((3, 4, 5))
    with pytest.raises(ValueError, match=r"\(3, 4, 5\), its reconstruction \(1, 4, 5\)"):
        load_score({"kind": "ssim_ensemble"})(image, reconstruction[:1], brain_mask)
    with pytest.raises(SettingsError, match=r"sigmas\.0: 0\.0 does not fit, expected more than 0"):
        load_score({"kind": "ssim_ensemble", "sigmas": [0]})
    with pytest.raises(SettingsError, match="sigmas: expected a list of 1 or more"):
        load_score({"kind": "ssim_ensemble", "sigmas": []})
