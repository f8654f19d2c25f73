"""Which subjects can be used, partly or not at all, and what the table says of them."""

import numpy as np
import pandas as pd
import pytest
from test_layouts import AFFINE, damage_scan, listed, make_brats21, make_ixi, make_wmh, write_seg

from brainuad.datasets.layouts import labels_of, load_layout
from brainuad.images.volumes import Volume, write_volume
from brainuad.io.errors import ScanError, SettingsError


def test_subject_with_one_of_two_modalities_is_partial(tmp_path):
    make_ixi(tmp_path / "raw")
    next((tmp_path / "raw" / "IXI-T2").glob("IXI012*")).unlink()
    damage_scan(next((tmp_path / "raw" / "IXI-T1").glob("IXI035*")))
    table = listed(tmp_path, "ixi")
    assert table["status"].tolist() == ["ok", "partial", "partial"]
    missing, broken = table.loc["IXI012-HH-0812"], table.loc["IXI035-IOP-0835"]
    assert missing["reason"] == "no t2 scan of this subject"
    assert missing["t1"].endswith("IXI012-HH-0812-T1.nii.gz") and pd.isna(missing["t2"])
    assert "cut short" in broken["reason"]
    assert broken["t2"].endswith("IXI035-IOP-0835-T2.nii.gz") and pd.isna(broken["t1"])
    with pytest.raises(ScanError, match="cut short"):
        listed(tmp_path, "ixi", on_broken="stop")
    only_t1 = listed(tmp_path, "ixi", modalities=["t1"])
    assert only_t1["status"].tolist() == ["ok", "ok", "left_out"]


def test_a_missing_modality_alone_is_no_reason_to_stop(tmp_path):
    make_ixi(tmp_path / "raw")
    for scan in (tmp_path / "raw").rglob("IXI012*"):
        scan.unlink()
    next((tmp_path / "raw" / "IXI-T2").glob("IXI035*")).unlink()
    table = listed(tmp_path, "ixi", on_broken="stop")
    assert table["status"].tolist() == ["ok", "partial"]


def damage_grid(path):
    write_volume(Volume(np.ones((5, 5, 3), np.uint8), AFFINE), path)


def damage_labels(path):
    write_seg(path, (1, 3))


@pytest.mark.parametrize(
    ("file", "damage", "reason"),
    [
        ("BraTS2021_00001_t2.nii.gz", damage_scan, "cut short"),
        ("BraTS2021_00001_seg.nii.gz", damage_scan, "cut short"),
        ("BraTS2021_00001_seg.nii.gz", damage_grid, "shape"),
        ("BraTS2021_00001_seg.nii.gz", damage_labels, "unexpected label 3"),
        ("BraTS2021_00001_seg.nii.gz", lambda path: path.unlink(), "no lesion mask"),
    ],
)
def test_broken_scan_is_left_out_and_the_rest_goes_on(tmp_path, file, damage, reason):
    make_brats21(tmp_path / "raw")
    damage(tmp_path / "raw" / "BraTS2021_00001" / file)
    table = listed(tmp_path, "brats21")
    assert table["status"].tolist() == ["ok", "left_out", "ok"]
    assert reason in table["reason"].iloc[1]


def test_patients_without_lesion_masks_need_none(tmp_path):
    make_brats21(tmp_path / "raw")
    damage_scan(tmp_path / "raw/BraTS2021_00001/BraTS2021_00001_seg.nii.gz")
    table = listed(tmp_path, "brats21", lesions=False)
    assert (table["status"] == "ok").all()
    assert table["seg"].isna().all() and table["lesion_ml"].isna().all()


# Lesion and ignored labels as asked and as found; what the layout has besides.
LABELS = [
    ("brats21", (None, None), ({1, 2, 4}, set(), set())),
    ("brats21", ([1, 4], None), ({1, 4}, set(), {2})),
    ("wmh", (None, None), ({1}, {2}, set())),
    ("wmh", ([1, 2], None), ({1, 2}, set(), set())),
    ("wmh", ([1], []), ({1}, set(), {2})),
    ("wmh", (None, [1, 2]), "no label that counts as lesion"),
    (
        "brats21",
        ([1, 2, 3], None),
        "names 3, but the lesion masks of this layout hold only 1, 2, 4",
    ),
    ("atlas", ([1], [2]), "names 2, but the lesion masks of this layout hold only 1"),
    ("mslub", ([1], [1]), "the label 1 is in lesion_labels and in ignored_labels"),
    ("files", (None, None), ({1}, set(), set())),
    ("bids", ([3, 1000], [7]), ({3, 1000}, {7}, set())),
    ("ixi", (None, None), ({1}, set(), set())),
    ("preprocessed", (None, [2]), (set(range(1, 256)) - {2}, {2}, set())),
    ("preprocessed", ([1], None), ({1}, set(), set())),
]


@pytest.mark.parametrize(("layout", "asked", "found"), LABELS)
def test_labels_of_config_and_layout(capsys, layout, asked, found):
    if isinstance(found, str):
        with pytest.raises(SettingsError, match=found):
            labels_of(load_layout(layout), *asked)
        return
    labels = labels_of(load_layout(layout), *asked)
    lesion, ignored, neither = found
    assert (labels.lesion, labels.ignored) == (lesion, ignored)
    assert labels.known == lesion | ignored | neither
    shown = f"count as healthy: {', '.join(map(str, neither))}"
    assert (shown in capsys.readouterr().out) == bool(neither)


def test_labels_of_the_layout_under_another_name(tmp_path):
    make_brats21(tmp_path / "raw")
    # The labels 1, 2 and 4 are in one voxel of .008 ml each.
    assert (listed(tmp_path, "brats21")["lesion_ml"] == 0.024).all()
    assert (listed(tmp_path, "brats21", lesion_labels=[4])["lesion_ml"] == 0.008).all()
    with pytest.raises(SettingsError, match="own_name: lesion_labels or ignored_labels names 3"):
        listed(tmp_path, "brats21", lesion_labels=[1, 2, 3])


def test_lesion_mask_on_the_grid_of_another_scan(tmp_path):
    make_wmh(tmp_path / "raw")
    places = {"Utrecht/0": 0, "Singapore/50": 4, "Amsterdam/GE3T/100": 500}
    for place, shift in places.items():
        affine = np.diag([-1.0, -1, 6, 1])
        affine[0, 3] = shift
        mask = np.zeros((8, 10, 2), np.uint8)
        mask[:5] = 1
        write_volume(Volume(mask, affine), tmp_path / "raw" / "training" / place / "wmh.nii.gz")
    table = listed(tmp_path, "wmh")
    assert table["status"].tolist() == ["left_out", "ok", "ok"]
    assert f"{tmp_path / 'raw/training/Amsterdam/GE3T/100/wmh.nii.gz'}: " in table["reason"].iloc[0]
    assert "field of view" in table["reason"].iloc[0]
    # 5 x 10 x 2 voxels of 6 mm^3.
    assert table["lesion_ml"].tolist()[1:] == [0.6, 0.6]


def test_excluded_subjects_are_not_read(tmp_path):
    make_brats21(tmp_path / "raw")
    damage_scan(tmp_path / "raw/BraTS2021_00001/BraTS2021_00001_t2.nii.gz")
    table = listed(tmp_path, "brats21", exclude=["BraTS2021_00001"], on_broken="stop")
    assert table["status"].tolist() == ["ok", "left_out", "ok"]
    assert table["reason"].iloc[1] == "excluded by the config"
    with pytest.raises(SettingsError, match="own_name: exclude names 'BraTS2021_1', which is no"):
        listed(tmp_path, "brats21", exclude=["BraTS2021_00001", "BraTS2021_1"])


def test_stop_makes_a_broken_scan_fatal_in_one_line(tmp_path):
    make_brats21(tmp_path / "raw")
    broken = tmp_path / "raw" / "BraTS2021_00001" / "BraTS2021_00001_t2.nii.gz"
    broken.write_bytes(b"")
    with pytest.raises(ScanError, match="the file is empty") as raised:
        listed(tmp_path, "brats21", on_broken="stop")
    assert str(raised.value).startswith(str(broken))
    assert not (tmp_path / "subjects.tsv").exists()
