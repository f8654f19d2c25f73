"""Changed contrast: of intensities by hand, and of a stack in memory and in a file."""

import numpy as np
import pytest

from brainuad.images.contrast import change_contrast, with_contrast
from brainuad.images.slices import SliceStack, read_slices, write_slices


def test_contrast_changes_on_both_sides_of_zero():
    images = np.array([-0.09, 0, 0.25, 1, 1.21], np.float32)
    for gamma, expected in ((0.5, [-0.3, 0, 0.5, 1, 1.1]), (2.0, [-0.0081, 0, 0.0625, 1, 1.4641])):
        changed = change_contrast(images, gamma)
        assert changed.dtype == np.float32
        np.testing.assert_allclose(changed, expected, rtol=1e-6)
    np.testing.assert_array_equal(change_contrast(images, 1.0), images)


@pytest.mark.parametrize("stored", [True, False])
def test_the_images_of_a_stack_change_when_they_are_read(tmp_path, stored):
    images = np.random.default_rng(0).random((3, 2, 4, 5), dtype=np.float32)
    stack = SliceStack(
        images=images,
        brain_masks=images > 0.5,
        lesions=np.zeros(images.shape, np.uint8),
        subjects=np.array(list("abc")),
        affines=np.tile(np.eye(4), (3, 1, 1)),
    )
    if stored:
        write_slices(stack, tmp_path / "slices.npz")
        stack = read_slices(tmp_path / "slices.npz")
    changed = with_contrast(stack, 2.0)
    expected = images * images
    np.testing.assert_allclose(changed.scans(["b"])[0].image, expected[1], rtol=1e-6)
    np.testing.assert_allclose(changed.select(["c", "a"]).images, expected[[2, 0]], rtol=1e-6)
    assert np.array_equal(changed.scans(["b"])[0].brain_mask, images[1] > 0.5)
    assert np.array_equal(np.asarray(stack.images), images)
