"""Phantoms on disk: names, orders of axes, world coordinates, repeatability, broken files."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

import make_phantoms
import make_template
from brainuad.config.phantoms import PhantomSettings
from brainuad.io.errors import SettingsError
from brainuad.phantoms.acquisition import grid_axes, save, world_affine
from brainuad.phantoms.layouts import Dataset, write_subject
from brainuad.phantoms.template import load_template

SETTINGS = PhantomSettings(subjects=4, spacing=(4.0, 4.0, 4.0), truncated=1)

ATLAS = "Training/R001/sub-r001s00{0}/ses-1/anat/sub-r001s00{0}_ses-1_space-MNI152NLin2009aSym_"
EXPECTED = {
    "ixi": [
        "IXI-T1/IXI002-Guys-0474-T1.nii.gz",
        "IXI-T1/IXI003-HH-0511-T1.nii.gz",
        "IXI-T2/IXI002-Guys-0474-T2.nii.gz",
        "IXI-T2/IXI003-HH-0511-T2.nii.gz",
    ],
    "brats21": [
        f"BraTS2021_{number}/BraTS2021_{number}_{kind}.nii.gz"
        for number in ("00000", "00002")
        for kind in ("flair", "seg", "t1", "t1ce", "t2")
    ],
    "mslub": [
        f"patient{number}/patient{number}_{kind}.nii.gz"
        for number in ("01", "02")
        for kind in ("FLAIR", "T1W", "T1WKS", "T2W", "brainmask", "consensus_gt")
    ]
    + [
        f"patient{number}/raw/patient{number}_{kind}.nii.gz"
        for number in ("01", "02")
        for kind in ("FLAIR", "T1W", "T2W")
    ],
    "atlas": [
        ATLAS.format(number) + kind
        for number in (1, 2)
        for kind in ("T1w.nii.gz", "label-L_desc-T1lesion_mask.nii.gz")
    ],
    "wmh": [
        f"training/{case}/{name}.nii.gz"
        for case in ("Singapore/50", "Utrecht/0")
        for name in ("orig/3DT1", "orig/FLAIR", "orig/T1", "pre/FLAIR", "pre/T1", "wmh")
    ],
    "clinic": [
        "dataset_description.json",
        *(f"sub-{n}/anat/sub-{n}_{kind}.nii.gz" for n in ("01", "02") for kind in ("T1w", "T2w")),
    ],
}
ORIENTATION = {
    "IXI-T1": "PSR",
    "IXI-T2": "LAS",
    "BraTS2021_00000": "LPS",
    "patient01": "LPS",
    "Training": "RAS",
    "clinic": "RPS",
}


@pytest.fixture(scope="module")
def template():
    return load_template()


@pytest.fixture(scope="module")
def tree(template, tmp_path_factory):
    root = tmp_path_factory.mktemp("phantoms")
    for dataset in Dataset:
        for index in range(2):
            write_subject(
                template, root / dataset, dataset=dataset, index=index, settings=SETTINGS, seed=3
            )
    return root


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("dataset", EXPECTED)
def test_names_are_those_of_the_data_set(tree, dataset):
    assert names(tree / dataset) == sorted(EXPECTED[dataset])


def test_the_same_seed_gives_the_same_bytes(template, tree, tmp_path):
    fewer = PhantomSettings(subjects=2, spacing=SETTINGS.spacing)
    for dataset in Dataset:
        write_subject(template, tmp_path, dataset=dataset, index=1, settings=fewer, seed=3)
        for name in names(tmp_path):
            again = (tmp_path / name).read_bytes()
            assert again == (tree / dataset / name).read_bytes(), name
            (tmp_path / name).unlink()


def test_another_seed_gives_another_person(template, tree, tmp_path):
    write_subject(template, tmp_path, dataset=Dataset.ATLAS, index=0, settings=SETTINGS, seed=4)
    name = ATLAS.format(1) + "T1w.nii.gz"
    ours, theirs = (nib.load(root / name).get_fdata() for root in (tmp_path, tree / "atlas"))
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] < 0.98


def test_voxel_orders_are_those_of_the_data_sets(tree):
    for path in tree.rglob("*.nii.gz"):
        for part, codes in ORIENTATION.items():
            if part in path.parts:
                assert "".join(nib.aff2axcodes(nib.load(path).affine)) == codes


def test_the_brats_grid_is_that_of_brats(template, tmp_path):
    one = PhantomSettings(subjects=1, spacing=(2.0, 2.0, 2.5))
    paths = write_subject(
        template, tmp_path, dataset=Dataset.BRATS21, index=0, settings=one, seed=0
    )
    image = nib.load(paths[0])
    assert image.shape == (120, 120, 62)
    expected = [[-2, 0, 0, 0], [0, -2, 0, 238], [0, 0, 2.5, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(image.affine, expected)


@pytest.mark.parametrize("orientation", ["RAS", "LPS", "PSR", "LAS"])
def test_a_point_keeps_its_place_in_the_world(tmp_path, orientation):
    axes = grid_axes(field_of_view=(40.0, 60.0, 30.0), spacing=(2.0, 3.0, 5.0))
    array = np.zeros([len(axis) for axis in axes], np.int16)
    array[16, 3, 4] = 1  # to the right, at the back, on top
    turn = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    for pose in (np.eye(3), turn):
        affine = world_affine(axes, pose=pose, shift=np.array([1.0, 2.0, 3.0]))
        save(array, tmp_path / "x.nii.gz", affine=affine, orientation=orientation)
        image = nib.load(tmp_path / "x.nii.gz")
        where = np.argwhere(np.asarray(image.dataobj))[0]
        # By hand: the centre is (0, -18, 8), voxel (9.5, 9.5, 2.5) lies there.
        offset = np.array([6.5 * 2, -6.5 * 3, 1.5 * 5])
        expected = pose @ offset + [0 + 1, -18 + 2, 8 + 3]
        np.testing.assert_allclose(
            nib.affines.apply_affine(image.affine, where), expected, atol=1e-4
        )


def test_both_ixi_scans_show_the_same_head_in_the_world(tree):
    first, second = (
        nib.load(tree / "ixi" / f"IXI-{kind}" / f"IXI002-Guys-0474-{kind}.nii.gz")
        for kind in ("T1", "T2")
    )
    assert first.shape != second.shape
    index = np.indices(first.shape).reshape(3, -1)
    world = nib.affines.apply_affine(first.affine, index.T)
    there = nib.affines.apply_affine(np.linalg.inv(second.affine), world).T
    moved = ndimage.map_coordinates(second.get_fdata(), there, order=1, cval=np.nan)
    ours = first.get_fdata().ravel()
    # Above the face both scans show the head's outline, whatever their contrasts.
    seen = np.isfinite(moved) & (world[:, 2] > 0)
    heads = [values[seen] > 0.25 * np.percentile(values[seen], 90) for values in (ours, moved)]
    assert np.corrcoef(*(values.astype(float) for values in heads))[0, 1] > 0.8


def test_lesion_masks_share_the_grid_of_their_scan(tree):
    pairs = [
        ("brats21", "*_seg.nii.gz", "_seg", "_t2"),
        ("mslub", "*_consensus_gt.nii.gz", "_consensus_gt", "_T2W"),
        ("atlas", "*lesion_mask.nii.gz", "label-L_desc-T1lesion_mask", "T1w"),
        ("wmh", "wmh.nii.gz", "wmh.nii", "orig/T1.nii"),
    ]
    for dataset, pattern, old, new in pairs:
        masks = sorted((tree / dataset).rglob(pattern))
        assert len(masks) == 2
        for mask in masks:
            relative = str(mask.relative_to(tree / dataset)).rsplit(old, 1)
            scan = nib.load(tree / dataset / new.join(relative))
            labels = nib.load(mask)
            assert labels.get_data_dtype() == np.uint8
            assert labels.shape == scan.shape
            np.testing.assert_array_equal(labels.affine, scan.affine)
            assert np.asarray(labels.dataobj).any()


def test_raw_mslub_scans_lie_elsewhere_than_the_mask(tree):
    folder = tree / "mslub" / "patient01"
    mask = nib.load(folder / "patient01_consensus_gt.nii.gz")
    lesions = np.argwhere(np.asarray(mask.dataobj))
    world = nib.affines.apply_affine(mask.affine, lesions)
    poses = []
    for kind in ("T1W", "T2W", "FLAIR"):
        scan = nib.load(folder / f"patient01_{kind}.nii.gz")
        raw = nib.load(folder / "raw" / f"patient01_{kind}.nii.gz")
        # 44 slices of 4 mm become 11 of 16 mm, the values are the scan's.
        assert scan.shape == (48, 58, 44)
        assert raw.shape == (48, 58, 11)
        np.testing.assert_allclose(raw.header.get_zooms(), (4, 4, 16), rtol=1e-5)
        np.testing.assert_array_equal(raw.get_fdata()[:, :, 3], scan.get_fdata()[:, :, 12])
        index = lesions / (1, 1, 4)
        away = nib.affines.apply_affine(raw.affine, index) - world
        assert np.linalg.norm(away, axis=1).min() > 2
        poses.append(raw.affine)
    assert not np.allclose(poses[0], poses[1])


@pytest.mark.parametrize(
    ("folder", "taken", "other"),
    [
        ("mslub/patient01", "patient01_T1W", "patient01_T1WKS"),
        ("wmh/training/Utrecht/0", "orig/T1", "pre/T1"),
        ("wmh/training/Utrecht/0", "orig/FLAIR", "pre/FLAIR"),
    ],
)
def test_companions_on_the_scan_s_grid_can_be_told_from_it(tree, folder, taken, other):
    ours, theirs = (nib.load(tree / folder / f"{name}.nii.gz") for name in (taken, other))
    np.testing.assert_array_equal(ours.affine, theirs.affine)
    ours, theirs = ours.get_fdata(), theirs.get_fdata()
    assert not np.array_equal(ours, theirs)
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.75


def test_subjects_with_one_modality_come_before_the_truncated(template, tree, tmp_path):
    settings = PhantomSettings(subjects=3, spacing=SETTINGS.spacing, truncated=1, single_modality=1)
    for index in range(3):
        write_subject(
            template, tmp_path, dataset=Dataset.IXI, index=index, settings=settings, seed=3
        )
    assert [path.name[:6] for path in sorted((tmp_path / "IXI-T1").iterdir())] == [
        "IXI002",
        "IXI003",
        "IXI004",
    ]
    assert [path.name[:6] for path in sorted((tmp_path / "IXI-T2").iterdir())] == [
        "IXI002",
        "IXI004",
    ]
    # What is there of the second subject is what it is with both.
    name = "IXI-T1/IXI003-HH-0511-T1.nii.gz"
    assert (tmp_path / name).read_bytes() == (tree / "ixi" / name).read_bytes()
    with pytest.raises((EOFError, OSError)):
        nib.load(tmp_path / "IXI-T2" / "IXI004-Guys-0548-T2.nii.gz").get_fdata()


def test_only_the_last_subjects_are_cut_and_their_headers_still_read(tmp_path):
    settings = {"subjects": 3, "spacing": [6, 6, 6], "truncated": 1, "lesion_load": 1}
    make_phantoms.main(output=tmp_path, dataset="mslub", settings=settings, seed=0)
    for name in ("patient01", "patient02"):
        nib.load(tmp_path / name / f"{name}_T2W.nii.gz").get_fdata()
    broken = nib.load(tmp_path / "patient03" / "patient03_T2W.nii.gz")
    with pytest.raises((EOFError, OSError)):
        broken.get_fdata()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"subjects": 0}, "subjects"),
        ({"spacing": [2, 2]}, "spacing"),
        ({"truncated": 5}, "truncated"),
        ({"single_modality": 3}, "single_modality"),
        ({"single_modality": 1}, "ixi only"),
        ({"lesion_load": 0}, "lesion_load"),
        ({"archive": "rar"}, "archive.*tar, zip"),
        ({"lesions": 1}, "lesions"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, change, word):
    settings = {"subjects": 2, "spacing": [4, 4, 4], "truncated": 0, "lesion_load": 1.0} | change
    with pytest.raises(SettingsError, match=word):
        make_phantoms.main(output=tmp_path, dataset="atlas", settings=settings, seed=0)


def test_an_unknown_data_set_is_named(tmp_path):
    with pytest.raises(SettingsError, match="oasis"):
        make_phantoms.main(output=tmp_path, dataset="oasis", settings={}, seed=0)


def test_the_template_is_head_brain_and_mask_on_one_grid(tmp_path):
    paths = {name: tmp_path / f"{name}.nii.gz" for name in ("head", "brain", "brain_mask")}
    make_template.main(**paths, spacing=4.0)
    head, brain, mask = (nib.load(path) for path in paths.values())
    assert nib.aff2axcodes(head.affine) == ("R", "A", "S")
    np.testing.assert_array_equal(head.affine, mask.affine)
    inside = np.asarray(mask.dataobj)
    assert set(np.unique(inside)) == {0, 1}
    np.testing.assert_array_equal(brain.get_fdata(), head.get_fdata() * inside)
    assert 1500 < inside.sum() * 0.064 < 1950
    # The middle of the brain lies where the ICBM152 space has it, right and left alike.
    middle = nib.affines.apply_affine(mask.affine, np.argwhere(inside).mean(0))
    np.testing.assert_allclose(middle, [0, -20, 8], atol=5)
