"""Pooled healthy volumes: mean and deviation by NumPy, and the same without one of the scans."""

import numpy as np
import pytest

from brainuad.images.distributions import pool, read_distribution, write_distribution
from brainuad.io.errors import SettingsError

AFFINE = np.array([[2.0, 0, 0, -10], [0, 2, 0, -20], [0, 0, 2.5, -30], [0, 0, 0, 1]])
NAMES = ["a", "b", "c", "d"]


def shifted(voxels):
    """The affine of a grid that is cut so many voxels (x, y, z) further on."""
    affine = AFFINE.copy()
    affine[:3, 3] += AFFINE[:3, :3] @ voxels
    return affine


def test_mean_and_deviation_are_those_of_numpy():
    volumes = np.random.default_rng(3).normal(size=(4, 5, 6, 7)).astype(np.float32)
    pooled = pool(iter(volumes), [AFFINE] * 4, NAMES)
    np.testing.assert_allclose(pooled.mean, volumes.mean(0, dtype=float), atol=1e-6)
    np.testing.assert_allclose(pooled.deviation, volumes.std(0, ddof=1, dtype=float), rtol=1e-5)
    assert pooled.names.tolist() == NAMES


@pytest.mark.parametrize("left_out", range(4))
def test_one_scan_is_taken_out_again(left_out):
    volumes = np.random.default_rng(4).normal(size=(4, 5, 6, 7)).astype(np.float32)
    # One scan far from the others, where rounding would tell.
    volumes[1] += 100
    others = [number for number in range(4) if number != left_out]
    expected = pool(volumes[others], [AFFINE] * 3, [NAMES[number] for number in others])
    found = pool(volumes, [AFFINE] * 4, NAMES).without(NAMES[left_out], volumes[left_out], AFFINE)
    assert found.names.tolist() == expected.names.tolist()
    np.testing.assert_allclose(found.mean, expected.mean, atol=2e-5)
    np.testing.assert_allclose(found.deviation, expected.deviation, atol=5e-2, rtol=1e-4)


def test_two_scans_must_remain():
    volumes = np.ones((2, 3, 3, 3), np.float32)
    pooled = pool(volumes, [AFFINE] * 2, ["a", "b"])
    with pytest.raises(SettingsError, match="other than b needs two of them, and there are 1"):
        pooled.without("b", volumes[1], AFFINE)


def test_a_point_of_the_template_is_found_on_another_grid():
    volumes = np.zeros((3, 5, 6, 7), np.float32)
    volumes[:, 2, 3, 4] = 1, 2, 6
    pooled = pool(volumes, [AFFINE] * 3, NAMES[:3])
    mean, deviation = pooled.at(shifted((1, -1, 1)))
    assert mean[1, 2, 5] == pytest.approx(3)
    assert deviation[1, 2, 5] == pytest.approx(np.std([1, 2, 6], ddof=1))
    assert np.count_nonzero(mean > 1e-6) == 1


def test_a_file_gives_back_what_was_written(tmp_path):
    volumes = np.random.default_rng(6).random((3, 4, 5, 6)).astype(np.float32)
    pooled = pool(volumes, [AFFINE] * 3, NAMES[:3])
    for name in ("first.npz", "second.npz"):
        write_distribution(pooled, tmp_path / name)
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
    found = read_distribution(tmp_path / "first.npz")
    for name, array in vars(pooled).items():
        np.testing.assert_array_equal(getattr(found, name), array)
        assert getattr(found, name).dtype == array.dtype


def test_nothing_to_pool_is_refused():
    with pytest.raises(SettingsError, match="nothing to compare patients with"):
        pool([], [], [])
