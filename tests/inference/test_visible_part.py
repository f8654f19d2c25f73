"""The parts of a slice: how wide the seen one is, and where the error is counted."""

import math

import numpy as np
import pytest

from brainuad.inference.visible_part import l1_by_region, middle_slice, seen_width
from brainuad.io.errors import SettingsError


@pytest.mark.parametrize(("fraction", "seen"), [(0.0, 0), (0.3, 3), (0.46, 5), (1.0, 10)])
def test_a_fraction_is_seen_to_the_nearest_pixel(fraction, seen):
    assert seen_width(10, fraction) == seen


@pytest.mark.parametrize("fraction", [-0.1, 50])
def test_a_fraction_beyond_the_slice_is_refused(fraction):
    with pytest.raises(SettingsError, match=f"fractions: {fraction} is not between 0 and 1"):
        seen_width(4, fraction)


def test_l1_of_the_two_parts_by_hand():
    image, reconstruction = np.zeros((2, 4, 3), np.float32), np.zeros((2, 4, 3), np.float32)
    brain = np.zeros(image.shape, bool)
    brain[:, 1:3] = True
    reconstruction[:, 1], reconstruction[:, 2] = 0.25, -0.5
    # Outside the brain nothing counts.
    reconstruction[:, 0] = 9
    half = l1_by_region(image, reconstruction, brain, visible_fraction=0.5)
    assert half == {"seen": 0.25, "hidden": 0.5}
    third = l1_by_region(image, reconstruction, brain, visible_fraction=0.25)
    assert math.isnan(third["seen"]) and third["hidden"] == 0.375
    whole = l1_by_region(image, reconstruction, brain, visible_fraction=1.0)
    assert whole["seen"] == 0.375 and math.isnan(whole["hidden"])


def test_the_middle_of_a_brain_is_its_centre_of_mass():
    brain = np.zeros((9, 4, 4), bool)
    # 16 voxels in slice 2, 4 in slice 7: the mean is 3.
    brain[2], brain[7, :2, :2] = True, True
    assert middle_slice(brain) == 3
