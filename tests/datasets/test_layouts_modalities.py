"""Any modality that a data set has: one row per subject, a column per scan, one lesion mask."""

import gzip

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from test_layouts import (
    MAKERS,
    damage_scan,
    listed,
    make_brats21,
    make_ixi,
    make_mslub,
    make_wmh,
    write_scan,
    write_seg,
)
from test_layouts_own import paths, write_tree

import resample_scans
from brainuad.images.volumes import Volume, read_labels, write_volume
from brainuad.io.errors import SettingsError
from brainuad.preprocessing.resampling import Resampling

# How the names of the files end, by modality.
HAS = {
    "ixi": {"t1": "-T1", "t2": "-T2", "pd": "-PD"},
    "brats21": {"t1": "_t1", "t1ce": "_t1ce", "t2": "_t2", "flair": "_flair"},
    "mslub": {"t1": "_T1W", "t2": "_T2W", "flair": "_FLAIR"},
    "atlas": {"t1": "_T1w"},
    "wmh": {"t1": "orig/T1", "flair": "orig/FLAIR"},
}


@pytest.mark.parametrize("dataset", HAS)
def test_each_modality_that_a_data_set_has(tmp_path, dataset):
    MAKERS[dataset](tmp_path / "raw")
    if dataset == "ixi":
        for scan in (tmp_path / "raw" / "IXI-T2").iterdir():
            write_scan(tmp_path / "raw" / "IXI-PD" / scan.name.replace("-T2", "-PD"))
    table = listed(tmp_path, dataset, modalities=list(HAS[dataset]))
    assert (table["status"] == "ok").all(), table["reason"].tolist()
    for modality, ending in HAS[dataset].items():
        assert table[modality].str.endswith(f"{ending}.nii.gz").all()


def test_flair_alone_makes_a_table_of_flair(tmp_path):
    make_brats21(tmp_path / "raw")
    table = listed(tmp_path, "brats21", modalities=["flair"])
    assert table.columns.tolist() == [
        *("subject", "session", "flair", "seg", "brain_mask", "age", "sex", "site", "lesion_ml"),
        *("status", "reason", "flair_digest"),
    ]


def test_patients_with_several_modalities_are_one_row(tmp_path):
    make_brats21(tmp_path / "raw")
    damage_scan(tmp_path / "raw" / "BraTS2021_00001" / "BraTS2021_00001_t1.nii.gz")
    table = listed(tmp_path, "brats21", modalities=["t2", "t1", "flair"])
    assert table.columns.tolist()[2:5] == ["flair", "t1", "t2"]
    assert table.columns.tolist()[-3:] == ["flair_digest", "t1_digest", "t2_digest"]
    assert table["status"].tolist() == ["ok", "partial", "ok"]
    assert pd.isna(table["t1"].iloc[1]) and "cut short" in table["reason"].iloc[1]
    assert table["lesion_ml"].tolist() == [0.024] * 3


@pytest.mark.parametrize(
    ("layout", "modality", "line"),
    [
        ("atlas", "t2", "the layout atlas has no 't2'; it has t1 (T1w). The layouts files and"),
        ("ixi", "flair", "the layout ixi has no 'flair'; it has t1 (T1), t2 (T2), pd (PD)."),
        ("wmh", "t2", "the layout wmh has no 't2'; it has t1 (orig/T1), flair (orig/FLAIR)."),
        ("mslub", "t1ce", "has no 't1ce'; it has t1 (T1W), t2 (T2W), flair (FLAIR)."),
        ("bids", "dwi", "has no 'dwi'; it has t1 (T1w), t2 (T2w), flair (FLAIR), pd (PDw)."),
        ("files", "seg", "modalities: 'seg' has another meaning; use another word"),
        ("table", "age", "modalities: 'age' has another meaning"),
        ("files", "brain_mask", "modalities: 'brain_mask' has another meaning"),
        ("files", "T1", "modalities: 'T1' is not allowed; expected lower-case letters and digits"),
        ("files", "t1_ce", "modalities: 't1_ce' is not allowed"),
        ("files", "3d", "modalities: '3d' is not allowed"),
    ],
)
def test_a_modality_that_there_is_not_is_one_line(tmp_path, layout, modality, line):
    (tmp_path / "raw").mkdir()
    with pytest.raises(SettingsError) as raised:
        listed(tmp_path, layout, modalities=[modality])
    assert str(raised.value).startswith("own_name: modalities: ")
    assert line in str(raised.value) and "\n" not in str(raised.value)


def test_patterns_and_tables_take_any_modality(tmp_path):
    files = ["1/DWI.nii.gz", "1/FLAIR.nii.gz", "1/seg.nii.gz", "2/DWI.nii.gz", "2/seg.nii.gz"]
    write_tree(tmp_path / "raw", files)
    patterns = {"dwi": "{subject}/DWI.nii.gz", "flair": "{subject}/FLAIR.nii.gz"}
    patterns["seg"] = "{subject}/seg.nii.gz"
    by_pattern = listed(tmp_path, "files", files=patterns, modalities=["dwi", "flair"])
    assert by_pattern["status"].tolist() == ["ok", "partial"]
    assert by_pattern["reason"].tolist()[1] == "no flair scan of this subject"
    rows = "1,1/DWI.nii.gz,1/FLAIR.nii.gz,1/seg.nii.gz\n2,2/DWI.nii.gz,,2/seg.nii.gz\n"
    (tmp_path / "raw" / "scans.csv").write_text(f"Subject,DWI,flair,seg\n{rows}", encoding="utf-8")
    by_table = listed(tmp_path, "table", table="scans.csv", modalities=["dwi", "flair"])
    pd.testing.assert_frame_equal(by_pattern, by_table)
    assert paths(by_table, tmp_path / "raw", "dwi") == [files[0], files[3]]
    with pytest.raises(SettingsError, match="own_name: files: there is no pattern for pd"):
        listed(tmp_path, "files", files=patterns, modalities=["dwi", "pd"])
    with pytest.raises(SettingsError, match="has no column 'pd'"):
        listed(tmp_path, "table", table="scans.csv", modalities=["dwi", "pd"])
    with pytest.raises(
        SettingsError, match="has the unknown column 'DWI'; known are subject, session, t1"
    ):
        listed(tmp_path, "table", table="scans.csv", modalities=["t1"])


def test_bids_flair_and_proton_density(tmp_path):
    files = [f"sub-{n}/anat/sub-{n}_{kind}.nii.gz" for n in (1, 2) for kind in ("FLAIR", "PDw")]
    masks = [f"sub-{n}/anat/sub-{n}_space-FLAIR_label-L_mask.nii.gz" for n in (1, 2)]
    write_tree(tmp_path / "raw", [*files, *masks, "sub-1/anat/sub-1_T1w.nii.gz"])
    table = listed(tmp_path, "bids", modalities=["flair", "pd"])
    assert (table["status"] == "ok").all()
    assert paths(table, tmp_path / "raw", "flair") == files[::2]
    assert paths(table, tmp_path / "raw", "pd") == files[1::2]
    assert paths(table, tmp_path / "raw", "seg") == masks


def test_volumes_that_came_preprocessed_in_any_modality(tmp_path):
    for name in ("a", "b"):
        for kind in ("t1", "flair"):
            write_scan(tmp_path / "raw" / "Test" / kind / f"{name}_{kind}.nii.gz")
        for kind in ("mask", "seg"):
            write_seg(tmp_path / "raw" / "Test" / kind / f"{name}_{kind}.nii.gz")
    table = listed(tmp_path, "preprocessed", part="Test", modalities=["flair", "t1"])
    assert (table["status"] == "ok").all()
    assert table[["flair", "t1", "brain_mask"]].notna().all().all()


def test_a_mask_counts_for_the_scans_on_whose_grid_it_lies(tmp_path):
    make_mslub(tmp_path / "raw")
    folder = tmp_path / "raw" / "patient02"
    affine = np.diag([-2.0, -2, 2, 1])
    affine[0, 3] = 9
    data = np.random.default_rng(0).normal(100, 10, (4, 5, 3)).astype(np.float32)
    write_volume(Volume(data, affine), folder / "patient02_T1W.nii.gz")
    table = listed(tmp_path, "mslub", modalities=["t1", "t2"])
    assert table["status"].tolist() == ["ok", "partial"]
    reason = table["reason"].iloc[1]
    assert f"{folder / 'patient02_consensus_gt.nii.gz'}: the mask lies up to 9 mm away" in reason
    assert pd.isna(table["t1"].iloc[1]) and pd.notna(table["t2"].iloc[1])


def test_the_mask_of_one_scan_is_brought_to_the_aligned_others(tmp_path):
    """WMH's mask lies on FLAIR, and the organisers aligned T1 to that."""
    make_wmh(tmp_path / "raw")
    listed(tmp_path, "wmh", modalities=["t1", "flair"])
    lesions = {}
    for modality in ("t1", "flair"):
        resample_scans.main(
            table=tmp_path / "subjects.tsv",
            output=tmp_path / modality,
            names=["Utrecht_0"],
            resampling=Resampling(
                modality=modality,
                spacing=2.0,
                lesion_labels=[1],
                ignored_labels=[2],
                lesions_on_own_grid=True,
            ),
        )
        path = tmp_path / modality / "Utrecht_0" / "lesions.nii.gz"
        lesions[modality] = read_labels(path, expected=(1, 2)).data
    assert lesions["t1"].any()
    np.testing.assert_array_equal(lesions["t1"], lesions["flair"])


def test_of_three_scans_the_two_that_are_one_are_named(tmp_path):
    make_brats21(tmp_path / "raw", count=2)
    folder = tmp_path / "raw" / "BraTS2021_00000"
    scan = nib.load(folder / "BraTS2021_00000_t2.nii.gz").to_bytes()
    (folder / "BraTS2021_00000_flair.nii.gz").write_bytes(gzip.compress(scan))
    table = listed(tmp_path, "brats21", modalities=["t1", "t2", "flair"])
    assert table["status"].tolist() == ["left_out", "ok"]
    reason = table["reason"].iloc[0]
    assert "_t2.nii.gz" in reason and "_flair.nii.gz" in reason and "_t1" not in reason


def test_ixi_in_proton_density_alone(tmp_path):
    make_ixi(tmp_path / "raw")
    scan = next((tmp_path / "raw" / "IXI-T2").iterdir())
    write_scan(tmp_path / "raw" / "IXI-PD" / scan.name.replace("-T2", "-PD"))
    table = listed(tmp_path, "ixi", modalities=["pd"])
    assert sorted(table["status"]) == ["left_out", "left_out", "ok"]
    assert set(table["reason"].dropna()) == {"no pd scan of this subject"}
