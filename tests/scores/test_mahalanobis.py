"""The Mahalanobis distance from samples, against the covariance inverted as it stands."""

import numpy as np
import pytest
from scipy import ndimage

from brainuad.io.errors import SettingsError
from brainuad.scores import load_score, needs_samples
from brainuad.scores.mahalanobis import distances, released_distances

SCORE, RELEASED = (
    load_score({"kind": "mahalanobis", **settings}) for settings in ({}, {"as_released": True})
)


def direct(pixels, samples, precision=np.float64):
    """By the definition: the whole covariance matrix, inverted."""
    pixels, samples = pixels.astype(np.float64), samples.astype(np.float64)
    covariance = np.cov(samples, rowvar=False).reshape(len(pixels), -1)
    inverse = np.linalg.inv(covariance + 0.01 * np.eye(len(pixels))).astype(precision)
    difference = pixels - samples.mean(axis=0)
    with np.errstate(invalid="ignore"):
        roots = np.sqrt(difference * (inverse.astype(np.float64) @ difference))
    return np.nan_to_num(roots, nan=0)


def drawn(count, pixels, seed=0):
    """Pixels, and samples that vary together about something else."""
    random = np.random.default_rng(seed)
    modes = random.normal(size=(3, pixels))
    samples = 0.5 + 0.1 * random.normal(size=(count, 3)) @ modes
    samples += 0.02 * random.normal(size=(count, pixels))
    return random.random(pixels, dtype=np.float32), samples.astype(np.float32)


@pytest.mark.parametrize(("count", "pixels"), [(10, 300), (2, 50), (10, 3), (3, 1), (40, 20)])
def test_the_identity_gives_what_the_inverse_gives(count, pixels):
    given = drawn(count, pixels)
    expected = direct(*given)
    np.testing.assert_allclose(distances(*given), expected, rtol=1e-6, atol=1e-6)
    assert expected.max() > 0.5
    in_half = direct(*given, precision=np.float16)
    np.testing.assert_allclose(released_distances(*given), in_half, rtol=1e-2, atol=2e-3)


def test_some_products_are_negative_and_count_as_none():
    found = distances(*drawn(10, 200))
    assert (found == 0).any() and np.isfinite(found).all()


def test_a_pixel_counts_less_where_samples_vary():
    # Two samples about .5: one pixel does not vary, the other by .1 (variance .02).
    samples = np.array([[0.5, 0.6], [0.5, 0.4]], np.float32)
    found = distances(np.array([0.7, 0.5], np.float32), samples)
    np.testing.assert_allclose(found, [0.2 / 0.1, 0], atol=1e-6)
    found = distances(np.array([0.5, 0.7], np.float32), samples)
    np.testing.assert_allclose(found, [0, 0.2 / np.sqrt(0.03)], atol=1e-6)


def test_samples_that_are_all_the_same_leave_the_residual():
    pixels, samples = drawn(1, 30)
    found = distances(pixels, np.repeat(samples, 4, axis=0))
    np.testing.assert_allclose(found, np.abs(pixels - samples[0]) / 0.1, rtol=1e-5)


def volumes(shape=(4, 8, 9), count=10, seed=0):
    random = np.random.default_rng(seed)
    image = random.random(shape, dtype=np.float32)
    noise = random.normal(size=(count, *shape))
    samples = np.clip(0.2 * image + 0.4 + 0.1 * noise, 0, 1).astype(np.float32)
    brain_mask = np.zeros(shape, bool)
    brain_mask[:, 1:-1, 1:-2] = True
    return image, samples, brain_mask


def by_hand(image, samples, brain_mask, *, released):
    """The whole map, slice by slice; SSIM alone comes from the score of one window."""
    found = np.zeros(image.shape)
    for number, inside in enumerate(brain_mask):
        if inside.any():
            slices = np.stack([sample[number][inside] for sample in samples])
            precision = np.float16 if released else np.float64
            found[number][inside] = direct(image[number][inside], slices, precision)
    if released:
        found = (found - found.min()) / (found.max() - found.min())
    one_window = load_score({"kind": "ssim_ensemble", "sigmas": [1.0]})
    residual = one_window(image, samples.mean(axis=0), brain_mask)
    return ndimage.gaussian_filter(found, 1) * residual


def test_the_map_is_distance_times_dissimilarity():
    given = volumes()
    found = SCORE(*given)
    assert found.dtype == np.float32 and found.shape == given[0].shape
    np.testing.assert_allclose(found, by_hand(*given, released=False), rtol=1e-3, atol=1e-4)
    released = RELEASED(*given)
    np.testing.assert_allclose(released, by_hand(*given, released=True), rtol=1e-2, atol=1e-3)
    assert released.dtype == np.float32
    assert found.max() > 0.1 and not found[~given[2]].any() and not released[~given[2]].any()


def test_a_lesion_elsewhere_changes_a_slice_as_released_alone():
    """The scale of a map must not depend on the subject's worst voxel."""
    image, samples, brain_mask = volumes(shape=(12, 8, 9))
    image = 0.3 + 0.4 * image
    # The range of values stays.
    image[0, 0, :2] = 0, 1
    worse = image.copy()
    worse[0, 2:5, 2:5] = 1
    for score, same in ((SCORE, True), (RELEASED, False)):
        before, after = (score(scan, samples, brain_mask)[8:] for scan in (image, worse))
        assert np.allclose(before, after, rtol=1e-3) == same


@pytest.mark.parametrize("score", [SCORE, RELEASED], ids=["ours", "released"])
def test_edges_hold_no_nan(score):
    image, samples, brain_mask = volumes()
    nowhere = np.zeros_like(brain_mask)
    assert not score(image, samples, nowhere).any()
    one = nowhere.copy()
    one[2, 3, 4] = True
    found = score(image, samples, one)
    assert np.flatnonzero(found).tolist() == np.flatnonzero(one).tolist()
    for value in (0, 1):
        same = np.full_like(image, value)
        constant = score(same, np.stack([same] * 10), brain_mask)
        assert np.isfinite(constant).all() and constant.max() < 1e-3


def test_it_says_what_it_needs():
    assert needs_samples(SCORE) and SCORE.needs_reconstruction
    assert not needs_samples(load_score({"kind": "absolute"}))
    image, samples, brain_mask = volumes()
    for too_few in (samples[0], samples[:1]):
        with pytest.raises(ValueError, match="needs two samples of the reconstruction or more"):
            SCORE(image, too_few, brain_mask)
    with pytest.raises(ValueError, match="its reconstruction"):
        SCORE(image, samples[:, 1:], brain_mask)
    with pytest.raises(SettingsError, match="sigma: unknown key"):
        load_score({"kind": "mahalanobis", "sigma": 1})
