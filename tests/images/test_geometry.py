"""A landmark stays where it was in the scanner, whatever is done to the grid; left stays left."""

import itertools

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from brainuad.images.geometry import (
    bounding_box,
    crop,
    crop_or_pad,
    downsample,
    head_mask,
    labels_on,
    resample,
    to_ras,
)
from brainuad.images.volumes import Volume
from brainuad.io.errors import ScanError

# An oblique base affine: right, front, top up to a few degrees, 2 mm voxels.
TURN = np.array([[0.995, -0.0998, 0], [0.0998, 0.995, 0], [0, 0, 1]])
ORIENTATIONS = ["".join(codes) for order in itertools.permutations(["LR", "AP", "IS"])
                for codes in itertools.product(*order)]  # fmt: skip


def asymmetric_phantom():
    """A brain-like ellipsoid with one small bright ball at the left, front, top (RAS mm)."""
    affine = np.eye(4)
    affine[:3, :3] = TURN * 2.0
    affine[:3, 3] = (-30.0, -40.0, -20.0)
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in (32, 40, 28)], indexing="ij"), axis=-1)
    middle = np.linalg.norm((grid - (16, 20, 14)) / (12, 16, 10), axis=-1)
    ball = np.exp(-(((grid - (9, 28, 18)) ** 2).sum(axis=-1)) / (2 * 1.5**2))
    return Volume((100 * (middle < 1) + 900 * ball).astype(np.float32), affine)


def landmark(volume):
    """Centre of mass of the ball in world coordinates."""
    bright = np.where(volume.data > 400, volume.data - 400, 0)
    centre = ndimage.center_of_mass(bright)
    return volume.affine[:3, :3] @ np.array(centre) + volume.affine[:3, 3]


def in_orientation(volume, codes):
    target = nib.orientations.axcodes2ornt(tuple(codes))
    turn = nib.orientations.ornt_transform(nib.orientations.io_orientation(volume.affine), target)
    data = nib.orientations.apply_orientation(volume.data, turn)
    affine = volume.affine @ nib.orientations.inv_ornt_aff(turn, volume.data.shape)
    return Volume(data, affine)


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_to_ras_from_all_48_orientations(codes):
    phantom = asymmetric_phantom()
    turned = in_orientation(phantom, codes)
    assert nib.aff2axcodes(turned.affine) == tuple(codes)
    back = to_ras(turned)
    np.testing.assert_array_equal(back.data, phantom.data)
    np.testing.assert_allclose(back.affine, phantom.affine, atol=1e-9)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "SAL"])
def test_chain_keeps_the_landmark_in_the_world(codes):
    phantom = asymmetric_phantom()
    volume = to_ras(in_orientation(phantom, codes))
    fine = resample(volume, 1.0, labels=False)
    np.testing.assert_allclose(fine.spacing, 1.0)
    np.testing.assert_allclose(landmark(fine), landmark(phantom), atol=0.15)
    cut = crop_or_pad(crop(fine, (slice(3, 60), slice(0, 78), slice(5, 55))), (60, 70, 52))
    np.testing.assert_allclose(landmark(cut), landmark(phantom), atol=0.15)
    coarse = downsample(cut, 2, labels=False)
    np.testing.assert_allclose(landmark(coarse), landmark(phantom), atol=0.3)
    middle = np.array(coarse.data.shape) / 2
    left, front, top = np.array(ndimage.center_of_mass(coarse.data > 300)) - middle
    assert left < 0 < front, "the ball was at the left and in front"
    assert top > 0


def as_sitk(volume):
    image = sitk.GetImageFromArray(volume.data.transpose(2, 1, 0))
    image.SetSpacing(volume.spacing.tolist())
    return image


@pytest.mark.parametrize("spacing", [1.0, 1.7, 3.0])
def test_resampling_agrees_with_simpleitk(spacing):
    generator = np.random.default_rng(0)
    data = ndimage.gaussian_filter(generator.normal(size=(30, 24, 20)), 1.5).astype(np.float32)
    volume = Volume(data, np.diag([1.0, 1.2, 2.5, 1.0]))
    mine = resample(volume, spacing, labels=False)
    reference = sitk.Resample(
        as_sitk(volume),
        mine.data.shape,
        sitk.Transform(),
        sitk.sitkBSpline,
        mine.affine[:3, 3].tolist(),
        [spacing] * 3,
        np.eye(3).ravel().tolist(),
    )
    inner = (slice(2, -2),) * 3
    expected = sitk.GetArrayFromImage(reference).transpose(2, 1, 0)
    np.testing.assert_allclose(mine.data[inner], expected[inner], atol=1e-3 * np.ptp(data))


def test_resampling_keeps_the_centre_of_the_field_of_view():
    volume = Volume(asymmetric_phantom().data, np.diag([0.9, 1.1, 3.3, 1.0]))
    fine = resample(volume, 1.0, labels=False)
    assert fine.data.shape == (29, 44, 92)  # 28.8, 44 and 92.4 mm
    centres = [
        v.affine[:3, :3] @ ((np.array(v.data.shape) - 1) / 2) + v.affine[:3, 3]
        for v in (volume, fine)
    ]
    np.testing.assert_allclose(centres[0], centres[1], atol=1e-9)


def test_images_stay_in_their_range():
    edge = Volume(np.zeros((20, 20, 20), np.float32), np.eye(4))
    edge.data[10:] = 50
    fine = resample(edge, 0.6, labels=False)
    assert fine.data.min() == 0
    assert fine.data.max() == 50


def test_labels_take_their_nearest_neighbour():
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[1, 2, 3] = 4
    fine = resample(Volume(labels, np.eye(4)), 0.5, labels=True)
    expected = labels.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    np.testing.assert_array_equal(fine.data, expected)
    assert fine.data.dtype == np.uint8


def test_labels_of_thick_slices_by_hand():
    labels = np.zeros((4, 4, 2), np.uint8)
    labels[1, 2, 1] = 2
    thick = Volume(labels, np.diag([1.0, 1, 3, 1]))
    # Slices of 3 mm with centres at 0 and 3 mm reach from -1.5 to 4.5 mm; the grid reaches further.
    grid = Volume(np.zeros((4, 4, 8)), nib.affines.from_matvec(np.eye(3), [0, 0, -1]))
    found = labels_on(thick, grid)
    assert found.data.dtype == np.uint8
    assert found.data[1, 2].tolist() == [0, 0, 0, 2, 2, 2, 0, 0]  # at -1, 0, ... 6 mm
    assert np.count_nonzero(found.data) == 3
    np.testing.assert_array_equal(found.affine, grid.affine)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "SAL"])
def test_labels_find_their_grid_from_any_axes(codes):
    phantom = asymmetric_phantom()
    labels = Volume((phantom.data > 400).astype(np.uint8), phantom.affine)
    found = labels_on(in_orientation(labels, codes), phantom)
    np.testing.assert_array_equal(found.data, labels.data)


def test_labels_on_an_oblique_grid_agree_with_simpleitk():
    generator = np.random.default_rng(0)
    labels = Volume(generator.integers(0, 4, (20, 24, 16), np.uint8), np.diag([1.0, 1.2, 3, 1]))
    grid = asymmetric_phantom()
    shift = nib.affines.from_matvec(np.eye(3), [20, 30, 17])
    grid = Volume(grid.data, shift @ grid.affine)
    grid = crop(grid, (slice(3, 18), slice(2, 17), slice(1, 24)))
    reference = sitk.Resample(
        as_sitk(labels),
        grid.data.shape,
        sitk.Transform(),
        sitk.sitkNearestNeighbor,
        grid.affine[:3, 3].tolist(),
        grid.spacing.tolist(),
        (grid.affine[:3, :3] / grid.spacing).ravel().tolist(),
    )
    expected = sitk.GetArrayFromImage(reference).transpose(2, 1, 0)
    assert 0.2 < (expected > 0).mean() < 0.75, "partly outside"
    assert (labels_on(labels, grid).data == expected).mean() > 0.999


def test_labels_of_another_place_are_refused():
    labels = Volume(np.ones((20, 20, 20), np.uint8), np.eye(4))
    near, far = np.eye(4), np.eye(4)
    near[0, 3], far[0, 3] = 9.0, 12.0
    assert labels_on(labels, Volume(labels.data, near)).data.mean() == pytest.approx(11 / 20)
    with pytest.raises(ScanError, match="seg: shares 40% of the field of view with its scan"):
        labels_on(labels, Volume(labels.data, far), name="seg")
    small = Volume(np.ones((4, 4, 4)), np.eye(4))
    assert labels_on(labels, small).data.all(), "the smaller field of view counts"


def test_downsampling_by_hand():
    ramp = np.arange(8, dtype=np.float32)[:, None, None] * np.ones((8, 4, 4), np.float32)
    volume = Volume(ramp, np.diag([2.0, 2.0, 2.0, 1.0]))
    half = downsample(volume, 2, labels=False)
    # A b-spline reproduces a ramp: each new voxel lies between two old ones.
    np.testing.assert_allclose(half.data[1:3, 0, 0], [2.5, 4.5], atol=0.02)
    np.testing.assert_allclose(half.spacing, 4.0)
    np.testing.assert_allclose(half.affine[:3, 3], 1.0)
    picked = downsample(Volume(ramp.astype(np.uint8), volume.affine), 2, labels=True)
    np.testing.assert_array_equal(picked.data[:, 0, 0], [1, 3, 5, 7])
    with pytest.raises(ValueError, match="not divisible by 3"):
        downsample(volume, 3, labels=False)


def test_crop_or_pad_by_hand():
    line = np.arange(1, 8, dtype=np.float32)
    volume = Volume(line[:, None, None] * np.ones((7, 3, 3), np.float32), np.eye(4))
    cut = crop_or_pad(volume, (4, 3, 3))
    np.testing.assert_array_equal(cut.data[:, 0, 0], [3, 4, 5, 6])
    np.testing.assert_array_equal(cut.affine[:3, 3], [2, 0, 0])
    filled = crop_or_pad(volume, (10, 3, 2))
    np.testing.assert_array_equal(filled.data[:, 0, 0], [0, 0, 1, 2, 3, 4, 5, 6, 7, 0])
    np.testing.assert_array_equal(filled.affine[:3, 3], [-2, 0, 1])


def test_bounding_box_holds_the_last_slice():
    mask = np.zeros((10, 10, 10), np.uint8)
    mask[2, 3, 4] = mask[7, 9, 5] = 1
    box = bounding_box(mask, keep_last_slice=True)
    assert box == (slice(2, 8), slice(3, 10), slice(4, 6))
    assert crop(Volume(mask, np.eye(4)), box).data.sum() == mask.sum()
    with pytest.raises(ScanError, match="empty"):
        bounding_box(np.zeros((3, 3, 3)), keep_last_slice=True)


def test_as_released_the_box_lacks_the_last_slice_and_the_affine_is_right():
    mask = np.zeros((10, 10, 10), np.uint8)
    mask[2:8, 3:10, 4:6] = 1
    box = bounding_box(mask, keep_last_slice=False)
    assert box == (slice(2, 7), slice(3, 9), slice(4, 5))
    cut = crop(Volume(mask, np.diag([2.0, 2.0, 3.0, 1.0])), box)
    np.testing.assert_array_equal(cut.affine[:3, 3], [4, 6, 12])
    with pytest.raises(ScanError, match=r"a single slice, and .* drops it"):
        bounding_box(mask[:, :, :5], keep_last_slice=False)


def test_head_mask_is_the_largest_part_without_holes():
    data = np.zeros((20, 20, 20), np.float32)
    data[4:16, 4:16, 4:16] = 5
    expected = (data > 0).astype(np.uint8)
    data[8:10, 8:10, 8:10] = 0
    data[18, 18, 18] = 3
    np.testing.assert_array_equal(head_mask(data), expected)
    with pytest.raises(ScanError, match="above 0"):
        head_mask(-data)
