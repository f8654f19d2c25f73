"""From the final grid back to the very file: landmark, lesion and side, for every odd grid."""

import nibabel as nib
import numpy as np
import pytest
from oriented_heads import (
    LEFT,
    LESION,
    LESION_VOLUME,
    RIGHT,
    SCANS,
    landmarks_of,
    moved,
    preprocessed,
    template_to_scan,
)
from scipy import ndimage

from brainuad.images.geometry import read_transform
from brainuad.images.volumes import Volume, read_labels, read_mask, read_volume, write_volume
from brainuad.preprocessing.native_space import grid_of_file, to_scan_grid, write_on_grid


@pytest.fixture(scope="module")
def chain():
    return preprocessed()


@pytest.fixture(params=SCANS)
def scan(request):
    return request.param


def test_transform_is_read_as_ants_applies_it(chain, scan):
    matrix = chain / "normalized" / scan / "to_template.mat"
    np.testing.assert_allclose(read_transform(matrix), template_to_scan(chain, scan), atol=1e-6)


def test_landmarks_and_lesion_come_back_into_the_raw_scan(chain, scan):
    final = chain / "normalized" / scan
    image = read_mask(final / "image.nii.gz")
    lesions = read_labels(final / "lesions.nii.gz", expected=(1,), grid=image)
    raw = read_volume(chain / f"{scan}.nii")
    grid = grid_of_file(chain / f"{scan}.nii")
    assert grid.shape == raw.data.shape
    to_scan = read_transform(final / "to_template.mat")
    back = to_scan_grid(image, grid, scan_from_volume=to_scan, labels=False)
    marked = to_scan_grid(lesions, grid, scan_from_volume=to_scan, labels=True)

    found = landmarks_of(Volume(back, raw.affine))
    expected = [moved(LEFT, scan), moved(RIGHT, scan)]
    # The smallest edge of a voxel of the raw scan, .8 to 2.5 mm; the final grid has voxels of 4 mm.
    assert (np.linalg.norm(found - expected, axis=1) < raw.spacing.min()).all()
    large, small = found
    assert (large[0] < small[0]) == (scan != "mirrored")

    assert np.count_nonzero(marked) * raw.voxel_ml * 1000 == pytest.approx(LESION_VOLUME, rel=0.05)
    centre = nib.affines.apply_affine(raw.affine, ndimage.center_of_mass(marked))
    assert np.linalg.norm(centre - moved(LESION, scan)) < image.spacing.max()
    assert not marked[back == 0].any(), "the lesion lies in the brain"


GRID = np.array([[0.0, 0, 2.5, -20], [-1.5, 0, 0, 15], [0, 1.2, 0, -14], [0, 0, 0, 1]])


def write_raw(path, shape, *, sform=GRID, qform=GRID, form=nib.Nifti1Image):
    image = form(np.ones(shape, np.int16), GRID)
    image.header.set_sform(sform, code=0 if sform is None else 1)
    image.header.set_qform(qform, code=0 if qform is None else 1)
    nib.save(image, path)
    return path


def test_values_are_those_of_the_place_and_zero_outside_the_box(tmp_path):
    """A map that says where it is, in voxels of 2 mm, and a transform that is no rotation."""
    grid = grid_of_file(write_raw(tmp_path / "raw.nii", (20, 24, 16)))
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = [-9, -8, -7]
    index = np.stack(np.indices((10, 9, 8)), axis=-1)
    values = nib.affines.apply_affine(affine, index) @ [1.0, 10, 100] + 2000
    to_scan = nib.affines.from_matvec(
        1.1 * nib.quaternions.angle_axis2mat(0.3, [1, 2, 3]), [3.0, -1, 2]
    )
    found = to_scan_grid(
        Volume(values.astype(np.float32), affine), grid, scan_from_volume=to_scan, labels=False
    )
    centres = nib.affines.apply_affine(GRID, np.stack(np.indices(grid.shape), axis=-1))
    points = nib.affines.apply_affine(np.linalg.inv(to_scan), centres)
    voxels = nib.affines.apply_affine(np.linalg.inv(affine), points)
    inside = ((voxels >= 0) & (voxels <= np.array([9, 8, 7]))).all(axis=-1)
    assert 100 < np.count_nonzero(inside) < 0.5 * inside.size
    np.testing.assert_allclose(found[inside], (points @ [1.0, 10, 100] + 2000)[inside], rtol=1e-5)
    outside = ((voxels < -1) | (voxels > np.array([10, 9, 8]))).any(axis=-1)
    assert not found[outside].any()
    marks = to_scan_grid(
        Volume(np.ones((10, 9, 8), np.uint16), affine), grid, scan_from_volume=to_scan, labels=True
    )
    half = 0.5 + 1e-3
    box = ((voxels > -half) & (voxels < np.array([9, 8, 7]) + half)).all(axis=-1)
    assert marks.dtype == np.uint16
    assert (marks[inside] == 1).all() and not marks[~box].any()


def test_nothing_found_and_nothing_in_common_are_all_zero(tmp_path):
    grid = grid_of_file(write_raw(tmp_path / "raw.nii", (4, 5, 6)))
    volume = Volume(np.zeros((3, 3, 3), np.float32), np.eye(4))
    far = nib.affines.from_matvec(np.eye(3), [900.0, 0, 0])
    for data in (volume.data, volume.data + 1):
        found = to_scan_grid(Volume(data, np.eye(4)), grid, scan_from_volume=far, labels=False)
        assert found.shape == (4, 5, 6) and not found.any()


ELSEWHERE = GRID + np.array([[0, 0, 0, 11.0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize(
    ("sform", "qform"), [(GRID, GRID), (GRID, ELSEWHERE), (None, GRID), (GRID, None)]
)
@pytest.mark.parametrize("form", [nib.Nifti1Image, nib.Nifti2Image])
def test_both_forms_of_the_place_are_those_of_the_raw_scan(tmp_path, sform, qform, form):
    """Where sform and qform differ, a viewer must lay map and scan over each other by either."""
    raw = write_raw(tmp_path / "raw.nii.gz", (4, 5, 6, 1), sform=sform, qform=qform, form=form)
    grid = grid_of_file(raw)
    write_on_grid(np.ones(grid.shape, np.uint8), grid, tmp_path / "mask.nii.gz")
    ours, theirs = (nib.load(tmp_path / name) for name in ("mask.nii.gz", "raw.nii.gz"))
    assert ours.shape == (4, 5, 6) and ours.get_data_dtype() == np.uint8
    for get in ("get_sform", "get_qform"):
        (ours_form, ours_code), (theirs_form, theirs_code) = (
            getattr(image, get)(coded=True) for image in (ours, theirs)
        )
        assert ours_code == theirs_code
        if ours_code:
            np.testing.assert_allclose(ours_form, theirs_form, atol=1e-5)
    np.testing.assert_allclose(ours.affine, grid.affine, atol=1e-5)
    np.testing.assert_allclose(ours.header.get_zooms(), [1.5, 1.2, 2.5])


def test_a_written_map_is_the_same_bytes_each_time(tmp_path):
    write_volume(Volume(np.ones((4, 5, 6), np.int16), GRID), tmp_path / "raw.nii")
    grid = grid_of_file(tmp_path / "raw.nii")
    data = np.random.default_rng(1).random(grid.shape, np.float32)
    for name in ("a", "b"):
        write_on_grid(data, grid, tmp_path / name / "map.nii.gz")
    first, second = ((tmp_path / name / "map.nii.gz").read_bytes() for name in ("a", "b"))
    assert first == second
