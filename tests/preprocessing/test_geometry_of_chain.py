"""Raw scans in many orientations and voxel sizes through the whole chain: left stays left."""

import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from oriented_heads import (
    BIAS,
    LEFT,
    LESION,
    LESION_VOLUME,
    REGISTRATION,
    RIGHT,
    SCANS,
    SPACING,
    STAGES,
    grid_of,
    landmarks_of,
    moved,
    preprocessed,
    template_to_scan,
    write_scan,
)
from scipy import ndimage

import correct_bias
import pack_slices
import register_to_template
import resample_scans
from brainuad.images.slices import read_slices
from brainuad.images.volumes import Volume, read_labels, read_volume, write_volume
from brainuad.io import tables
from brainuad.preprocessing.chunks import read_left_out
from brainuad.preprocessing.resampling import Resampling


@pytest.fixture(scope="module")
def chain():
    """All scans after each stage, one chunk."""
    return preprocessed()


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("scan", SCANS)
def test_landmarks_and_lesion_are_where_the_transform_says(chain, scan, stage):
    image = read_volume(chain / stage / scan / "image.nii.gz")
    lesions = read_labels(chain / stage / scan / "lesions.nii.gz", expected=(1,), grid=image)
    to_scan = np.eye(4) if stage in STAGES[:2] else template_to_scan(chain, scan)
    to_stage = np.linalg.inv(to_scan)
    expected = nib.affines.apply_affine(to_stage, [moved(LEFT, scan), moved(RIGHT, scan)])
    found = landmarks_of(image)
    voxel = image.spacing.max()
    assert (np.linalg.norm(found - expected, axis=1) < voxel).all()
    # The array itself runs to the right: the large landmark comes first, save in the mirrored head.
    index = nib.affines.apply_affine(np.linalg.inv(image.affine), found)
    assert (index[0, 0] < index[1, 0]) == (scan != "mirrored")
    lesion_centre = nib.affines.apply_affine(image.affine, ndimage.center_of_mass(lesions.data))
    there = nib.affines.apply_affine(to_stage, moved(LESION, scan))
    assert np.linalg.norm(lesion_centre - there) < voxel
    volume = np.count_nonzero(lesions.data) * np.linalg.det(image.affine[:3, :3])
    assert volume * np.linalg.det(to_scan[:3, :3]) == pytest.approx(LESION_VOLUME, rel=0.05)


def test_lesion_volumes_are_those_of_the_patient(chain, tmp_path):
    """The heads are 5 % larger than the template along each axis, so volumes shrink by 14 %."""
    pack_slices.main(
        chunks=[chain / "normalized"],
        subjects=chain / "subjects.tsv",
        slices=tmp_path / "slices.npz",
        left_out=tmp_path / "left_out.tsv",
        on_broken="stop",
    )
    stack = read_slices(tmp_path / "slices.npz")
    assert sorted(stack.subjects) == sorted(SCANS)
    for row in range(len(stack.subjects)):
        assert stack.has_native_size(row)
        found = np.count_nonzero(stack.lesions[row]) * stack.voxel_ml(row)
        assert 1000 * found == pytest.approx(LESION_VOLUME, rel=0.05)
        on_grid = np.count_nonzero(stack.lesions[row]) * 0.064
        assert 1000 * on_grid < 0.92 * LESION_VOLUME


@pytest.mark.parametrize("scan", SCANS)
def test_transform_undoes_the_motion_of_the_head_without_a_reflection(chain, scan):
    to_scan = template_to_scan(chain, scan)
    assert np.linalg.det(to_scan[:3, :3]) > 0
    if scan != "mirrored":
        points = np.array([LEFT, RIGHT, LESION])
        expected = moved(points, scan)
        assert np.linalg.norm(expected - points, axis=1).max() > 10
        # How exact registration is, is tested with it; here it must have found the head at all.
        error = np.linalg.norm(nib.affines.apply_affine(to_scan, points) - expected, axis=1)
        assert error.max() < 5


def test_as_released_masks_grow_and_last_slices_go_and_all_is_still_in_its_place(chain, tmp_path):
    scan = "LPS"
    shutil.copytree(chain / "stripped" / scan, tmp_path / "stripped" / scan)
    shutil.copy(chain / "stripped" / "left_out.tsv", tmp_path / "stripped")
    register_to_template.main(
        scans=tmp_path / "stripped",
        template=chain / "template.nii.gz",
        output=tmp_path / "registered",
        transforms=tmp_path / "transforms",
        settings=REGISTRATION | {"label_interpolation": "linear"},
    )
    correct_bias.main(
        scans=tmp_path / "registered",
        output=tmp_path / "corrected",
        settings=BIAS,
        weighted=True,
        keep_last_slice=False,
    )
    for name in ("brain_mask", "lesions"):
        ours, theirs = (
            read_labels(folder / "registered" / scan / f"{name}.nii.gz", expected=(1,)).data
            for folder in (chain, tmp_path)
        )
        assert (theirs >= ours).all()
        # The ball of 10 voxels' radius and the brain gain about half a voxel all around.
        assert np.count_nonzero(theirs) > 1.05 * np.count_nonzero(ours)
    mask = read_labels(tmp_path / "registered" / scan / "brain_mask.nii.gz", expected=(1,))
    image = read_volume(tmp_path / "corrected" / scan / "image.nii.gz")
    assert image.data.shape == tuple(np.ptp(np.argwhere(mask.data), axis=0))
    to_template = np.linalg.inv(template_to_scan(tmp_path, scan))
    expected = nib.affines.apply_affine(to_template, [moved(LEFT, scan), moved(RIGHT, scan)])
    assert (np.linalg.norm(landmarks_of(image) - expected, axis=1) < SPACING).all()
    lesions = read_labels(tmp_path / "corrected" / scan / "lesions.nii.gz", expected=(1,))
    centre = nib.affines.apply_affine(lesions.affine, ndimage.center_of_mass(lesions.data))
    there = nib.affines.apply_affine(to_template, moved(LESION, scan))
    assert np.linalg.norm(centre - there) < SPACING


def test_lesions_drawn_on_another_grid_come_to_the_scan(tmp_path):
    """As in WMH: the mask lies on thick slices, the scan on voxels and axes of its own."""
    row = write_scan(tmp_path, "oblique")
    row["seg"] = write_scan(tmp_path, "LAS")["seg"]
    affine, shape = grid_of("RAS")
    affine[0, 3] += 90
    away = np.zeros(shape, np.uint8)
    write_volume(Volume(away, affine), tmp_path / "away.nii")
    rows = [row, row | {"subject": "elsewhere", "seg": tmp_path / "away.nii"}]
    tables.write_table(pd.DataFrame(rows), tmp_path / "subjects.tsv")
    resample_scans.main(
        table=tmp_path / "subjects.tsv",
        output=tmp_path / "resampled",
        names=["oblique", "elsewhere"],
        resampling=Resampling(
            modality="t1",
            spacing=SPACING,
            lesion_labels=[1],
            ignored_labels=[],
            lesions_on_own_grid=True,
        ),
    )
    folder = tmp_path / "resampled" / "oblique"
    image = read_volume(folder / "image.nii.gz")
    lesions = read_labels(folder / "lesions.nii.gz", expected=(1,), grid=image)
    centre = nib.affines.apply_affine(image.affine, ndimage.center_of_mass(lesions.data))
    assert np.linalg.norm(centre - moved(LESION, "oblique")) < SPACING
    volume = np.count_nonzero(lesions.data) * SPACING**3
    assert volume == pytest.approx(LESION_VOLUME, rel=0.05)
    (left_out,) = read_left_out(tmp_path / "resampled")
    assert left_out[:2] == ("elsewhere", "resampled")
    assert "away.nii" in left_out[2]
    assert "field of view" in left_out[2]
