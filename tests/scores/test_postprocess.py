import numpy as np
import pytest
from scipy import ndimage

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.io.errors import SettingsError
from brainuad.scores.postprocess import (
    anomaly_map,
    eroded_mask,
    median_filtered,
    segment,
)

RELEASED = {
    "order": ["erosion", "median"],
    "erosion_iterations": 3,
    "median_size": 5,
    "minimum_component": 8,
}


def settings(**changes) -> PostprocessingSettings:
    return settings_from(PostprocessingSettings, RELEASED | changes)


def ellipsoid(shape: tuple[int, int, int], fill: float = 0.9) -> np.ndarray:
    places = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    return sum(place**2 for place in places) < fill**2


def scan(seed: int, shape: tuple[int, int, int] = (14, 24, 20)) -> tuple[np.ndarray, ...]:
    """Scores of voxels, and a brain mask."""
    generator = np.random.default_rng(seed)
    mask = ellipsoid(shape)
    image = generator.random(shape, dtype=np.float32) * mask
    return np.abs(image - generator.random(shape, dtype=np.float32)), mask


def test_settings_from_the_config():
    assert settings().order == ("erosion", "median")


@pytest.mark.parametrize(
    "change",
    [
        {"order": ["median", "median"]},
        {"order": ["median", "opening"]},
        {"erosion_iterations": -1},
        {"median_size": 4},
        {"median_size": 0},
        {"minimum_component": 0},
        {"median": 5},
    ],
)
def test_settings_name_the_key_that_is_wrong(change):
    with pytest.raises(SettingsError, match=next(iter(change))):
        settings(**change)


def test_scores_that_are_not_finite_are_refused():
    scores, mask = scan(0)
    scores[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        anomaly_map(scores, mask, settings())


def test_erosion_stays_in_its_slice_and_takes_a_cross():
    mask = np.zeros((2, 7, 7), dtype=bool)
    mask[0, 1:6, 1:6] = True
    mask[1] = True
    eroded = eroded_mask(mask, 1)
    # A square loses its rim; slice 1 also, as outside the array is not brain.
    assert eroded[0].sum() == 9 and eroded[0, 2:5, 2:5].all()
    assert eroded[1].sum() == 25 and eroded[1, 1:6, 1:6].all()
    # A cross, unlike a square element, leaves the middle of a plus of arms 1.
    plus = np.zeros((1, 5, 5), dtype=bool)
    plus[0, 2, 1:4] = plus[0, 1:4, 2] = True
    assert np.argwhere(eroded_mask(plus, 1)).tolist() == [[0, 2, 2]]


def test_erosion_repeats_and_zero_keeps_the_mask():
    mask = ellipsoid((6, 30, 28))
    thrice = eroded_mask(eroded_mask(eroded_mask(mask, 1), 1), 1)
    assert np.array_equal(eroded_mask(mask, 3), thrice)
    assert np.array_equal(eroded_mask(mask, 0), mask)


@pytest.mark.parametrize("size", [1, 3, 5, 7])
@pytest.mark.parametrize("kind", ["brain", "full", "ties", "empty", "flat"])
def test_median_equals_scipy_bit_for_bit(size, kind):
    generator = np.random.default_rng(size)
    shape = (9, 17, 14) if kind != "flat" else (2, 15, 3)
    volume = generator.random(shape, dtype=np.float32)
    if kind == "brain":
        volume *= ellipsoid(shape)
    if kind == "ties":
        volume = np.round(volume * 4) / 4 * (generator.random(shape) > 0.4)
        volume = volume.astype(np.float32)
    if kind == "empty":
        volume[:] = 0
    filtered = median_filtered(volume, size)
    expected = ndimage.median_filter(volume, size)
    assert filtered.dtype == np.float32
    assert filtered.tobytes() == expected.tobytes()


def test_median_within_a_mask_is_zero_elsewhere():
    volume = np.random.default_rng(0).random((9, 17, 14), dtype=np.float32)
    mask = ellipsoid(volume.shape)
    expected = ndimage.median_filter(volume, 5) * mask
    assert median_filtered(volume, 5, within=mask).tobytes() == expected.tobytes()


def test_median_refuses_negative_values():
    with pytest.raises(ValueError, match="-1"):
        median_filtered(np.full((5, 5, 5), -1.0), 3)


def test_released_order_masks_before_the_filter():
    scores, mask = scan(1)
    expected = ndimage.median_filter(scores * eroded_mask(mask, 3), 5)
    found = anomaly_map(scores, mask, settings())
    assert found.dtype == np.float32
    assert found.tobytes() == expected.tobytes()


def test_paper_order_masks_after_the_filter():
    scores, mask = scan(2)
    expected = ndimage.median_filter(scores, 5) * eroded_mask(mask, 3)
    found = anomaly_map(scores, mask, settings(order=["median", "erosion"]))
    assert found.tobytes() == expected.tobytes()
    released = anomaly_map(scores, mask, settings())
    assert not np.array_equal(found, released)


def test_steps_can_be_left_out():
    scores, mask = scan(3)
    without = anomaly_map(scores, mask, settings(order=[]))
    assert np.array_equal(without, scores)
    only_mask = anomaly_map(scores, mask, settings(order=["erosion"]))
    assert np.array_equal(only_mask, scores * eroded_mask(mask, 3))


def test_segment_removes_seven_voxels_and_keeps_eight():
    scores = np.zeros((6, 12, 12), dtype=np.float32)
    scores[1, 1, 1:8] = 0.9  # 7 voxels
    scores[1, 5, 1:9] = 0.9  # 8 voxels
    scores[4, 9, 9] = 0.5  # not above the threshold
    kept = segment(scores, 0.5, settings())
    assert kept.sum() == 8 and kept[1, 5, 1:9].all()
    assert segment(scores, 0.5, settings(minimum_component=7)).sum() == 15
    assert segment(scores, 0.5, settings(minimum_component=1)).sum() == 15
    assert segment(scores, 0.4, settings(minimum_component=1)).sum() == 16


def test_segment_joins_voxels_that_share_a_corner():
    scores = np.zeros((10, 10, 10), dtype=np.float32)
    diagonal = np.arange(8)
    scores[diagonal, diagonal, diagonal] = 1
    assert segment(scores, 0.5, settings()).sum() == 8
