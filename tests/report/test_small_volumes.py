"""Volumes made small for a page: what they hold, and that everything stays where it was."""

import base64
import gzip

import nibabel as nib
import numpy as np
import pytest

from brainuad.images.volumes import Volume
from brainuad.report.scans.small_volumes import (
    MOST_VOXELS,
    as_base64,
    averaged,
    small_volumes,
    volumes_above,
)

TURN = nib.eulerangles.euler2mat(0.1, -0.15, 0.2)
AXES = {
    "ras": np.diag([0.6, 0.7, 3.0]),
    "lps": np.diag([-0.5, -0.5, 4.0]),
    "oblique": TURN @ np.diag([-0.8, 0.9, 1.0]),
    "permuted": TURN @ np.array([[0, 0, 3.0], [-0.4, 0, 0], [0, 0.45, 0]]),
}


def volume_with(axes: np.ndarray, data: np.ndarray) -> Volume:
    return Volume(data.astype(np.float32), nib.affines.from_matvec(axes, [-31.0, 12.0, 7.5]))


def blob(axes: np.ndarray) -> Volume:
    """A ball off the middle, well inside the grid."""
    shape = np.maximum(12, np.ceil(60 / np.linalg.norm(axes, axis=0))).astype(int)
    places = np.stack(np.indices(shape), axis=-1) @ axes.T
    centre = axes @ (shape * (0.4, 0.55, 0.5))
    return volume_with(axes, np.exp(-(((places - centre) / 5) ** 2).sum(axis=-1)))


def centre_mm(volume: Volume) -> np.ndarray:
    places = np.stack(np.indices(volume.data.shape), axis=-1).reshape(-1, 3)
    weights = volume.data.ravel().astype(np.float64)
    return nib.affines.apply_affine(volume.affine, weights @ places / weights.sum())


@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
def test_what_is_averaged_stays_where_it_was(axes):
    before = blob(axes)
    after = averaged(before, 1.5)
    assert after.data.size < before.data.size
    assert (after.spacing > 1.5 - 1e-6).all()
    np.testing.assert_allclose(centre_mm(after), centre_mm(before), atol=0.01)
    mass = [float(each.data.sum(dtype=np.float64)) * each.voxel_ml for each in (before, after)]
    assert mass[1] == pytest.approx(mass[0], rel=1e-4)


def test_averages_by_hand():
    row = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])[:, np.newaxis, np.newaxis]
    volume = volume_with(np.diag([1.0, 2.0, 3.0]), np.tile(row, (1, 2, 2)))
    half = averaged(volume, 1.5)
    # Voxels of 1.5: the first holds the first old one and half of the second.
    np.testing.assert_allclose(half.data[:, 0, 0], [4 / 3, 8 / 3, 13 / 3, 17 / 3], rtol=1e-6)
    assert half.data.shape == (4, 2, 2)
    np.testing.assert_allclose(half.affine[:3, 3], [-30.75, 12.0, 7.5])
    np.testing.assert_allclose(half.spacing, [1.5, 2, 3])


def test_coarse_voxels_stay_as_they_are():
    volume = volume_with(np.diag([-2.0, 1.5, 3.0]), np.random.default_rng(0).random((5, 6, 7)))
    same = averaged(volume, 1.5)
    np.testing.assert_array_equal(same.data, volume.data)
    np.testing.assert_array_equal(same.affine, volume.affine)


def test_a_page_takes_the_brain_with_a_margin_and_known_scales():
    shape = (60, 60, 20)
    brain = np.zeros(shape, bool)
    brain[20:40, 22:42, 5:15] = True
    axes = np.diag([1.0, -1.0, 3.0])
    scan = volume_with(axes, np.where(brain, 100.0, 7.0))
    scores = np.zeros(shape)
    scores[30, 30, 10] = 0.4
    scores[30, 31, 10] = 0.1
    shown = small_volumes(scan, brain, volume_with(axes, scores), None)
    # 12 mm on each side are 12 voxels along x and y, and 4 along z.
    assert shown.scan.data.shape == shown.anomaly_map.data.shape == (44, 44, 18)
    np.testing.assert_array_equal(shown.scan.affine, shown.anomaly_map.affine)
    assert shown.scan.data.dtype == shown.anomaly_map.data.dtype == np.uint8
    assert set(np.unique(shown.scan.data)) == {18, 255}
    assert shown.maximum == pytest.approx(0.4)
    assert shown.anomaly_map.data.max() == 255 and 64 in shown.anomaly_map.data
    place = np.argwhere(shown.anomaly_map.data == 255)[0]
    there = nib.affines.apply_affine(shown.anomaly_map.affine, place)
    np.testing.assert_allclose(there, nib.affines.apply_affine(scan.affine, [30, 30, 10]))


@pytest.mark.parametrize(("depth", "spacing"), [(8, 0.8), (40, 1.2), (200, 1.5)])
def test_voxels_are_as_fine_as_a_page_bears(depth, spacing):
    shape = (370, 370, depth)
    scan = volume_with(np.diag([0.5, 0.5, 4.0 if depth < 100 else 1.0]), np.ones(shape))
    shown = small_volumes(scan, np.ones(shape, bool), scan, None)
    assert shown.scan.spacing[0] == pytest.approx(spacing)
    assert depth > 100 or shown.scan.data.size <= MOST_VOXELS * 1.02


def test_a_map_without_anything_is_shown_as_zeros():
    volume = volume_with(np.eye(3), np.ones((20, 20, 20)))
    empty = volume_with(np.eye(3), np.zeros((20, 20, 20)))
    shown = small_volumes(volume, volume.data > 0, empty, None)
    assert shown.maximum == 1 and not shown.anomaly_map.data.any()
    levels, volumes = zip(*volumes_above(empty, 0.2), strict=True)
    assert 0.2 in levels and levels[-1] > 0.2 and set(volumes) == {0.0}


def test_what_is_embedded_reads_back_in_its_place():
    data = np.random.default_rng(0).integers(0, 256, (5, 6, 7)).astype(np.uint8)
    volume = Volume(data, nib.affines.from_matvec(AXES["oblique"], [1, 2, 3]))
    text = as_base64(volume, slope=0.002)
    assert text == as_base64(volume, slope=0.002)
    image = nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(text)))
    np.testing.assert_allclose(image.get_fdata(), data * 0.002, rtol=1e-6)
    assert image.get_data_dtype() == np.uint8
    np.testing.assert_allclose(image.affine, volume.affine, atol=1e-6)


def test_volumes_above_thresholds_by_hand():
    scores = np.zeros((4, 4, 4))
    scores[0, 0, :] = [0.1, 0.2, 0.3, 0.4]
    volume = volume_with(np.diag([10.0, 10.0, 5.0]), scores)
    pairs = volumes_above(volume, 0.2)
    levels = [level for level, _ in pairs]
    assert levels == sorted(levels) and levels[0] == 0
    above = dict(pairs)
    # A voxel has .5 ml; one that is as high as the threshold does not lie above it.
    assert above[0.2] == pytest.approx(1.0) and above[0.0] == pytest.approx(2.0)
    assert above[levels[-1]] == 0 and levels[-1] == pytest.approx(0.4)


def test_the_deviation_of_reconstructions_is_shown_within_the_brain():
    axes = AXES["ras"]
    scan = blob(axes)
    brain = scan.data > 0.5
    deviation = volume_with(axes, np.where(brain, 0.2, 5.0))
    shown = small_volumes(scan, brain, scan, deviation)
    assert shown.highest_deviation == pytest.approx(0.2)
    assert shown.deviation.data.max() == 255
    total = shown.deviation.data.sum() * shown.deviation.voxel_ml / 255
    assert total == pytest.approx(brain.sum() * scan.voxel_ml, rel=0.02)
