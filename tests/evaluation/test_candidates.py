import numpy as np
import pytest

from brainuad.evaluation.candidates import (
    Side,
    measure_candidates,
    midsagittal_plane,
    side_of,
)
from brainuad.images.components import label_components
from brainuad.images.volumes import Volume

# Counts from a corner, as SRI24 does: 0 is no midsagittal plane.
AFFINE = np.array([[2.0, 0, 0, 10], [0, 2, 0, -40], [0, 0, 2, 5], [0, 0, 0, 1]])


def test_measures_of_a_part():
    scores = np.zeros((20, 18, 16), np.float32)
    scores[2:5, 6:8, 9] = 0.25
    scores[3, 6, 9] = 0.75
    scores[12:14, 3, 3] = 0.5
    parts = label_components(scores > 0.1)
    first, second = measure_candidates(parts, Volume(scores, AFFINE), midsagittal=29.0)
    assert (first.voxels, first.peak, first.mean) == (6, 0.75, pytest.approx(2 / 6))
    assert first.place == pytest.approx((3, 6.5, 9))
    # Voxel 3 lies at 16 mm, voxel 12 at 34.
    assert (first.side, second.side) == (Side.LEFT, Side.RIGHT)
    assert measure_candidates(np.zeros_like(parts), Volume(scores, AFFINE), midsagittal=0) == []


def test_the_place_of_a_curved_part_lies_in_it():
    scores = np.zeros((20, 18, 16), np.float32)
    # Three sides of a square around (8, 8, 5).
    scores[4:13, 4:13, 5] = 1
    scores[6:13, 6:11, 5] = 0
    parts = label_components(scores > 0.1)
    (part,) = measure_candidates(parts, Volume(scores, AFFINE), midsagittal=29.0)
    place = tuple(round(index) for index in part.place)
    assert parts[place] == 1


def test_what_lies_on_both_sides_is_at_the_midline():
    assert side_of([-3.0, -2, -1, 1], 0) is Side.LEFT
    assert side_of([3.0, 2, 1, -1], 0) is Side.RIGHT
    assert side_of([-2.0, -1, 1], 0) is Side.MIDLINE
    assert side_of([1.0, 2, 3], 5) is Side.LEFT


@pytest.mark.parametrize("shift", [-3, 0, 4])
def test_the_plane_that_halves_a_head_with_a_lopsided_bump(shift):
    index = np.stack(np.indices((41, 30, 24)), axis=-1)
    head = np.linalg.norm((index - (20 + shift, 15, 12)) / (12, 13, 10), axis=-1) < 1
    head |= np.linalg.norm(index - (20 + shift + 10, 20, 12), axis=-1) < 4
    found = midsagittal_plane(Volume(head.astype(np.uint8), AFFINE))
    assert found == pytest.approx(10 + 2 * (20 + shift), abs=1.01)


def test_the_plane_may_lie_between_voxels():
    head = np.zeros((30, 4, 4))
    head[3:13] = 1
    assert midsagittal_plane(Volume(head, AFFINE)) == pytest.approx(10 + 2 * 7.5)
