"""The authors' volumes enter as the bias correction would have left them."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

import take_preprocessed_scans
from brainuad.images.volumes import Volume, read_labels, read_volume, write_volume
from brainuad.io import tables
from brainuad.io.errors import SettingsError
from brainuad.preprocessing.chunks import read_left_out, scans_in

SHAPE = (8, 9, 10)
# To the left and to the back, as ITK writes; the masks lie 30 mm elsewhere, as before the cut.
AFFINE = np.array([[-1.0, 0, 0, 40], [0, -1, 0, 50], [0, 0, 1, -60], [0, 0, 0, 1]])
BEFORE_CUT = AFFINE + np.array([[0, 0, 0, 30.0], *[[0.0] * 4] * 3])


def brain():
    image = np.zeros(SHAPE, np.float32)
    image[1:7, 1:8, 1:9] = np.random.default_rng(0).uniform(50, 100, (6, 7, 8))
    return image


def labels(*values):
    """One voxel of each value, in a row that runs to the left."""
    data = np.zeros(SHAPE, np.float32)
    data[2 : 2 + len(values), 3, 4] = values
    return data


def taken(folder, *, seg=None, image=None, affine=AFFINE, mask_affine=BEFORE_CUT, mask=None):
    mask = (brain() > 0).astype(np.float32) if mask is None else mask
    row = {"subject": "a", "session": "", "t1": folder / "a_t1.nii.gz", "seg": None}
    row["brain_mask"] = folder / "a_mask.nii.gz"
    write_volume(Volume(brain() if image is None else image, affine), row["t1"])
    write_volume(Volume(mask, mask_affine), row["brain_mask"])
    if seg is not None:
        row["seg"] = folder / "a_seg.nii.gz"
        write_volume(Volume(seg, mask_affine), row["seg"])
    tables.write_table(pd.DataFrame([row]), folder / "subjects.tsv")
    take_preprocessed_scans.main(
        table=folder / "subjects.tsv",
        output=folder / "corrected",
        names=["a"],
        modality="t1",
        spacing=1.0,
        lesion_labels=[1, 4],
        ignored_labels=[2],
    )
    return folder / "corrected"


def test_volumes_come_in_ras_on_the_grid_of_the_image(tmp_path):
    folder = taken(tmp_path, seg=labels(1, 2, 3, 4)) / "a"
    files = sorted(file.name for file in folder.iterdir())
    assert files == ["brain_mask.nii.gz", "image.nii.gz", "lesions.nii.gz"]
    image = read_volume(folder / "image.nii.gz")
    assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
    np.testing.assert_array_equal(image.data, brain()[::-1, ::-1])
    # The last voxel in the file is the first to the right and to the front: 40 - 7 and 50 - 8 mm.
    np.testing.assert_array_equal(image.affine[:3, 3], [33, 42, -60])
    mask = read_labels(folder / "brain_mask.nii.gz", expected=(1,), grid=image)
    np.testing.assert_array_equal(mask.data, image.data > 0)
    lesions = read_labels(folder / "lesions.nii.gz", expected=(1, 2), grid=image)
    # 1 and 4 are lesion, 2 is ignored, 3 is in neither list: in RAS the row runs backwards.
    assert lesions.data[2:6, 5, 4].tolist() == [1, 0, 2, 1]
    assert np.count_nonzero(lesions.data) == 3


def test_healthy_scans_have_no_lesions(tmp_path):
    assert not read_labels(taken(tmp_path) / "a" / "lesions.nii.gz", expected=()).data.any()


def test_mask_of_fractions_is_lesion_above_zero(tmp_path, capsys):
    folder = taken(tmp_path, seg=labels(0.2, 1.0, 0.7, 2.0)) / "a"
    lesions = read_labels(folder / "lesions.nii.gz", expected=(1,))
    assert lesions.data[2:6, 5, 4].tolist() == [1, 1, 1, 1]
    assert "a_seg.nii.gz: holds fractions, so all above 0 is lesion" in capsys.readouterr().out


ODD = {
    "other voxels": ({"affine": np.diag([1.0, 1, 2, 1])}, "the voxels of 1 x 1 x 2 mm"),
    "empty brain mask": ({"mask": np.zeros(SHAPE, np.float32)}, "brain mask is empty"),
    "mask of another size": ({"mask": np.ones((8, 9, 9), np.float32)}, "mask has the shape"),
    "mask with other axes": ({"mask_affine": np.eye(4)}, "run in other directions"),
    "mask with NaN": ({"seg": labels(np.nan)}, "NaN or infinite"),
    "blank image": ({"image": np.zeros(SHAPE, np.float32)}, "blank"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_scan_is_left_out(tmp_path, kind):
    change, reason = ODD[kind]
    chunk = taken(tmp_path, **change)
    assert scans_in(chunk) == []
    ((subject, stage, said),) = read_left_out(chunk)
    assert (subject, stage) == ("a", "corrected")
    assert reason in said


def test_voxels_may_differ_by_rounding(tmp_path):
    affine = AFFINE @ np.diag([1.004, 1, 1, 1])
    assert scans_in(taken(tmp_path, affine=affine)) == ["a"]


def test_subject_without_the_modality_is_a_line(tmp_path):
    taken(tmp_path)
    with pytest.raises(SettingsError, match="has no t1 scan of b; list the subjects again"):
        take_preprocessed_scans.main(
            table=tmp_path / "subjects.tsv",
            output=tmp_path / "corrected",
            names=["a", "b"],
            modality="t1",
            spacing=1.0,
            lesion_labels=[1],
            ignored_labels=[],
        )
