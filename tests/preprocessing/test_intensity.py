"""Percentiles of the brain alone decide the range."""

import numpy as np
import pytest

from brainuad.io.errors import ScanError
from brainuad.preprocessing.intensity import to_unit_range


def test_by_hand():
    image = np.arange(101, dtype=np.float32).reshape(101, 1, 1)
    mask = np.ones_like(image, dtype=np.uint8)
    # Percentile p of 0..100 is p itself.
    scaled = to_unit_range(image, mask, percentiles=(10, 90))
    np.testing.assert_allclose(scaled[[0, 10, 50, 90, 100], 0, 0], [0, 0, 0.5, 1, 1], atol=1e-6)
    assert scaled.dtype == np.float32


def test_background_has_no_say_and_is_treated_like_the_brain():
    generator = np.random.default_rng(0)
    image = generator.normal(100, 10, (10, 10, 10))
    mask = np.zeros(image.shape, np.uint8)
    mask[2:8, 2:8, 2:8] = 1
    loud = np.where(mask > 0, image, 1e6)
    quiet = to_unit_range(image, mask, percentiles=(1, 99))
    inside = mask > 0
    np.testing.assert_array_equal(
        to_unit_range(loud, mask, percentiles=(1, 99))[inside], quiet[inside]
    )
    assert (to_unit_range(loud, mask, percentiles=(1, 99))[mask == 0] == 1).all()
    assert quiet.min() == 0 and quiet.max() == 1


def test_zeros_around_a_brain_of_negative_values_are_not_zero_afterwards():
    image = np.array([-30.0, -10, 10, 0, 0]).reshape(5, 1, 1)
    mask = np.array([1, 1, 1, 0, 0]).reshape(5, 1, 1)
    scaled = to_unit_range(image, mask, percentiles=(0, 100))
    np.testing.assert_allclose(scaled.ravel(), [0, 0.5, 1, 0.75, 0.75], atol=1e-6)


def test_gain_and_offset_of_the_scanner_do_not_matter():
    image = np.random.default_rng(1).normal(100, 10, (10, 10, 10))
    mask = np.ones(image.shape, np.uint8)
    one, two = (to_unit_range(i, mask, percentiles=(1, 99)) for i in (image, 3 * image + 7))
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_unusable_brains_are_refused():
    with pytest.raises(ScanError, match="empty"):
        to_unit_range(np.ones((3, 3, 3)), np.zeros((3, 3, 3)), percentiles=(1, 99))
    with pytest.raises(ScanError, match="no contrast"):
        to_unit_range(np.ones((3, 3, 3)), np.ones((3, 3, 3)), percentiles=(1, 99))
