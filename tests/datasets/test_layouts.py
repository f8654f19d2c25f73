"""The raw layouts, from tiny trees to subject tables; damaged files are named and left out."""

import errno
import gzip
import os
import time
from zlib import crc32

import numpy as np
import pandas as pd
import pytest

import list_subjects
from brainuad.datasets.layouts import LayoutOptions, find_subjects, load_layout
from brainuad.images.volumes import Volume, write_volume
from brainuad.io import tables
from brainuad.io.errors import SettingsError

AFFINE = np.diag([-2.0, -2.0, 2.0, 1.0])
MODALITIES = {
    "ixi": ["t1", "t2"],
    "brats21": ["t2"],
    "mslub": ["t2"],
    "atlas": ["t1"],
    "wmh": ["t1"],
}
ATLAS_STEM = "{0}_ses-1_space-MNI152NLin2009aSym"


def write_scan(path):
    """A scan like no other: its path is the seed."""
    data = (
        np.random.default_rng(crc32(os.fsencode(path)))
        .normal(100, 10, (4, 5, 3))
        .astype(np.float32)
    )
    write_volume(Volume(data, AFFINE), path)


def write_seg(path, labels=(1,)):
    data = np.zeros((4, 5, 3), np.uint8)
    data.flat[: len(labels)] = labels
    write_volume(Volume(data, AFFINE), path)


def make_ixi(root, flat=False):
    for number, site in ((2, "Guys"), (12, "HH"), (35, "IOP")):
        for kind in ("T1", "T2"):
            folder = root if flat else root / f"IXI-{kind}"
            write_scan(folder / f"IXI{number:03d}-{site}-{800 + number:04d}-{kind}.nii.gz")


def make_brats21(root, count=3):
    for number in range(count):
        folder = root / f"BraTS2021_{number:05d}"
        for kind in ("t1", "t1ce", "t2", "flair"):
            write_scan(folder / f"{folder.name}_{kind}.nii.gz")
        write_seg(folder / f"{folder.name}_seg.nii.gz", (1, 2, 4))


def make_mslub(root):
    for number in (1, 2):
        folder = root / f"patient{number:02d}"
        for kind in ("T1W", "T1WKS", "T2W", "FLAIR"):
            write_scan(folder / f"{folder.name}_{kind}.nii.gz")
        write_seg(folder / f"{folder.name}_consensus_gt.nii.gz")
        write_scan(folder / "raw" / f"{folder.name}_T2W.nii.gz")


def make_atlas(root, top=""):
    for cohort, subject in (("R001", "sub-r001s001"), ("R027", "sub-r027s012")):
        folder = root / top / "Training" / cohort / subject / "ses-1" / "anat"
        stem = ATLAS_STEM.format(subject)
        write_scan(folder / f"{stem}_T1w.nii.gz")
        write_seg(folder / f"{stem}_label-L_desc-T1lesion_mask.nii.gz")


def make_wmh(root):
    for place in ("Utrecht/0", "Singapore/50", "Amsterdam/GE3T/100"):
        folder = root / "training" / place
        for kind in ("T1", "FLAIR", "3DT1"):
            write_scan(folder / "orig" / f"{kind}.nii.gz")
        write_scan(folder / "pre" / "T1.nii.gz")
        write_seg(folder / "wmh.nii.gz", (1, 2))


MAKERS = {
    "ixi": make_ixi,
    "brats21": make_brats21,
    "mslub": make_mslub,
    "atlas": make_atlas,
    "wmh": make_wmh,
}
EXPECTED = {
    "ixi": (["IXI002-Guys-0802", "IXI012-HH-0812", "IXI035-IOP-0835"], ["Guys", "HH", "IOP"]),
    "brats21": (["BraTS2021_00000", "BraTS2021_00001", "BraTS2021_00002"], [None] * 3),
    "mslub": (["patient01", "patient02"], [None] * 2),
    "atlas": (["sub-r001s001", "sub-r027s012"], ["R001", "R027"]),
    "wmh": (
        ["Amsterdam_100", "Singapore_50", "Utrecht_0"],
        ["Amsterdam", "Singapore", "Utrecht"],
    ),
}


def listed(folder, layout, **changes):
    """The subject table of folder/raw, as the rule would write it; `changes` to the settings."""
    settings = {
        "root": folder / "raw",
        "downloads": folder / "raw",
        "output": folder / "subjects.tsv",
        "remarks": folder / "remarks.tsv",
        "layout": layout,
        "dataset": "own_name",
        "modalities": MODALITIES.get(layout, ["t1"]),
        "lesions": layout != "ixi",
        "lesion_labels": None,
        "ignored_labels": None,
        "exclude": [],
        "files": None,
        "table": None,
        "part": None,
        "demographics": None,
        "on_broken": "leave_out",
        "threads": 2,
    }
    list_subjects.main(**(settings | changes))
    return tables.read_table(folder / "subjects.tsv").set_index("subject", drop=False)


def damage_scan(path):
    path.write_bytes(path.read_bytes()[:80])


@pytest.mark.parametrize("dataset", MAKERS)
def test_layout_becomes_a_table(tmp_path, dataset):
    MAKERS[dataset](tmp_path / "raw")
    table = listed(tmp_path, dataset)
    assert table.columns.tolist() == [
        *("subject", "session", "t1", "t2", "seg", "brain_mask", "age", "sex", "site", "lesion_ml"),
        *("status", "reason", "t1_digest", "t2_digest"),
    ]
    subjects, sites = EXPECTED[dataset]
    assert table["subject"].tolist() == subjects
    assert [None if site != site else site for site in table["site"]] == sites
    assert (table["status"] == "ok").all()
    assert table["reason"].isna().all() and table["brain_mask"].isna().all()
    for modality in ("t1", "t2"):
        asked = modality in MODALITIES[dataset]
        assert table[modality].notna().all() if asked else table[modality].isna().all()
    assert table["seg"].isna().all() if dataset == "ixi" else table["seg"].notna().all()


@pytest.mark.parametrize(
    ("dataset", "millilitres"),
    # A voxel of 2 mm is .008 ml; one per label that counts.
    [("brats21", 0.024), ("mslub", 0.008), ("wmh", 0.008), ("ixi", None)],
)
def test_lesion_volume(tmp_path, dataset, millilitres):
    MAKERS[dataset](tmp_path / "raw")
    volumes = listed(tmp_path, dataset)["lesion_ml"]
    assert volumes.isna().all() if millilitres is None else (volumes == millilitres).all()


@pytest.mark.parametrize("dataset", MAKERS)
@pytest.mark.parametrize("above", ["", "download/BraTS2021_Training_Data/ATLAS_2"])
def test_archives_that_unpack_into_folders_give_the_same_subjects(tmp_path, dataset, above):
    MAKERS[dataset](tmp_path / "raw" / above)
    table = listed(tmp_path, dataset)
    assert table["subject"].tolist() == EXPECTED[dataset][0]
    assert (table["status"] == "ok").all()


def test_flat_ixi_gives_the_same_subjects(tmp_path):
    make_ixi(tmp_path / "raw", flat=True)
    assert listed(tmp_path, "ixi")["subject"].tolist() == EXPECTED["ixi"][0]


@pytest.mark.parametrize(("dataset", "inner"), [("atlas", "Training"), ("wmh", "training")])
def test_the_training_folder_may_be_the_root(tmp_path, dataset, inner):
    MAKERS[dataset](tmp_path / "whole")
    (tmp_path / "whole" / inner).rename(tmp_path / "raw")
    assert listed(tmp_path, dataset)["subject"].tolist() == EXPECTED[dataset][0]


def test_test_cases_are_passed_over_and_counted_in_the_log(tmp_path, capsys):
    make_wmh(tmp_path / "raw")
    for place in ("Utrecht/1", "Amsterdam/Philips_VU .PETMR_01./150", "GE3T/7"):
        write_scan(tmp_path / "raw" / "test" / place / "orig" / "T1.nii.gz")
    make_atlas(tmp_path / "strokes" / "raw")
    write_scan(tmp_path / "strokes/raw/Testing/R003/sub-r003s001/ses-1/anat/x_T1w.nii.gz")
    assert listed(tmp_path, "wmh")["subject"].tolist() == EXPECTED["wmh"][0]
    assert "3 cases under test/ are not used" in capsys.readouterr().out
    assert listed(tmp_path / "strokes", "atlas")["subject"].tolist() == EXPECTED["atlas"][0]


@pytest.mark.parametrize("folder", ["GE3T", "Amsterdam_GE3T/GE3T"])
def test_sites_that_were_downloaded_one_by_one(tmp_path, folder):
    make_wmh(tmp_path / "whole")
    (tmp_path / "whole" / "training").rename(tmp_path / "raw")
    (tmp_path / "raw" / folder).parent.mkdir(exist_ok=True)
    (tmp_path / "raw" / "Amsterdam" / "GE3T").rename(tmp_path / "raw" / folder)
    write_scan(tmp_path / "raw" / "test" / "GE3T" / "101" / "orig" / "T1.nii.gz")
    table = listed(tmp_path, "wmh")
    assert (table["subject"].tolist(), table["site"].tolist()) == EXPECTED["wmh"]


def test_ixi_subjects_that_share_a_number_are_named(tmp_path, capsys):
    make_ixi(tmp_path / "raw")
    write_scan(tmp_path / "raw" / "IXI002-HH-0900-T1.nii.gz")
    assert len(listed(tmp_path, "ixi")) == 4
    lines = [line for line in capsys.readouterr().out.splitlines() if "share the number" in line]
    assert [line.split(":")[0] for line in lines] == [
        "IXI002-Guys-0802 and IXI002-HH-0900 share the number IXI002"
    ]


@pytest.mark.parametrize(("layout", "file"), [("ixi", "T1"), ("mslub", "T2W"), ("wmh", "T1")])
def test_suffix_in_capitals(tmp_path, layout, file):
    MAKERS[layout](tmp_path / "raw")
    for path in (tmp_path / "raw").rglob(f"*{file}.nii.gz"):
        path.rename(str(path).replace(".nii.gz", ".NII.GZ"))
    table = listed(tmp_path, layout)
    assert table["subject"].tolist() == EXPECTED[layout][0]
    assert (table["status"] == "ok").all()


@pytest.mark.parametrize(
    ("dataset", "column", "file"),
    [
        ("mslub", "t2", "patient01/patient01_T2W.nii.gz"),
        ("mslub", "seg", "patient01/patient01_consensus_gt.nii.gz"),
        ("wmh", "t1", "training/Amsterdam/GE3T/100/orig/T1.nii.gz"),
        ("brats21", "t2", "BraTS2021_00000/BraTS2021_00000_t2.nii.gz"),
    ],
)
def test_the_right_file_of_several_is_taken(tmp_path, dataset, column, file):
    MAKERS[dataset](tmp_path / "raw")
    assert listed(tmp_path, dataset)[column].iloc[0] == str(tmp_path / "raw" / file)


def test_scan_without_compression_is_taken(tmp_path):
    make_mslub(tmp_path / "raw")
    packed = tmp_path / "raw/patient01/patient01_T2W.nii.gz"
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    row = listed(tmp_path, "mslub").loc["patient01"]
    assert (row["status"], row["t2"]) == ("ok", str(packed.with_suffix("")))


def test_two_files_for_one_scan_leave_the_subject_out(tmp_path):
    make_mslub(tmp_path / "raw")
    folder = tmp_path / "raw" / "patient01"
    write_scan(folder / "patient01_T2W.nii")
    row = listed(tmp_path, "mslub", on_broken="stop").loc["patient01"]
    assert row["status"] == "left_out"
    for name in ("patient01_T2W.nii.gz", "patient01_T2W.nii"):
        assert f"{folder / name} " in row["reason"] or f"{folder / name};" in row["reason"]


@pytest.mark.parametrize("dataset", MAKERS)
def test_a_subject_in_two_folders_is_left_out_and_both_are_named(tmp_path, dataset):
    MAKERS[dataset](tmp_path / "raw" / "first")
    MAKERS[dataset](tmp_path / "raw" / "second")
    # All but the first subject have just one copy.
    kept = EXPECTED[dataset][0][0]
    keep = {"Amsterdam_100": "100"}.get(kept, kept)
    for file in (tmp_path / "raw" / "second").rglob("*.nii.gz"):
        if keep not in str(file.relative_to(tmp_path)):
            file.unlink()
    table = listed(tmp_path, dataset)
    assert table["subject"].tolist() == EXPECTED[dataset][0]
    assert table["status"].tolist() == ["left_out"] + ["ok"] * (len(table) - 1)
    reason = table["reason"].iloc[0]
    assert str(tmp_path / "raw" / "first") in reason and str(tmp_path / "raw" / "second") in reason


def test_a_folder_linked_twice_is_one_folder(tmp_path, capsys):
    make_ixi(tmp_path / "raw")
    (tmp_path / "raw" / "IXI-T2").rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "raw")
    for link in ("IXI-T2", "IXI-T2-again"):
        (tmp_path / "raw" / link).symlink_to(tmp_path / "elsewhere")
    (tmp_path / "raw" / "A").symlink_to(tmp_path / "raw" / "IXI-T1")
    table = listed(tmp_path, "ixi")
    assert (table["status"] == "ok").all()
    assert table["t1"].iloc[0].startswith(str(tmp_path / "raw" / "IXI-T1"))
    assert table["t2"].iloc[0].startswith(str(tmp_path / "raw" / "IXI-T2" / "IXI002"))
    log = capsys.readouterr().out
    for link in ("A", "IXI-T2-again", "IXI-T2/back"):
        assert f"{tmp_path / 'raw' / link}: a link to a folder that is read already" in log


def test_an_analyze_pair_is_left_out_with_advice(tmp_path):
    make_mslub(tmp_path / "raw")
    folder = tmp_path / "raw" / "patient01"
    (folder / "patient01_T2W.nii.gz").unlink()
    for suffix in (".hdr", ".img"):
        (folder / f"patient01_T2W{suffix}").write_bytes(b"x")
    row = listed(tmp_path, "mslub").loc["patient01"]
    assert row["status"] == "left_out" and pd.isna(row["t2"])
    assert f"{folder / 'patient01_T2W.hdr'}: " in row["reason"]
    assert "convert the scan to .nii.gz" in row["reason"]


def test_a_folder_without_rights_is_a_subject_without_files(tmp_path, monkeypatch):
    make_mslub(tmp_path / "raw")
    closed = tmp_path / "raw" / "patient01"
    scandir = os.scandir

    def guarded(path):
        if str(path) == str(closed):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    table = listed(tmp_path, "mslub")
    assert table["reason"].fillna("").tolist() == ["no lesion mask of this subject", ""]


def test_missing_root_empty_root_and_nothing_usable(tmp_path):
    with pytest.raises(SettingsError, match=r"own_name: .*raw does not exist.*patient01_"):
        listed(tmp_path, "mslub")
    (tmp_path / "raw").mkdir()
    with pytest.raises(SettingsError, match=r"own_name: no scans under .*raw; expected patient01/"):
        listed(tmp_path, "mslub")
    (tmp_path / "raw" / "patient01").mkdir()
    with pytest.raises(SettingsError, match="own_name: none of the 1 subjects"):
        listed(tmp_path, "mslub")
    with pytest.raises(SettingsError, match="'adni' is unknown; known are atlas, bids, brats21"):
        load_layout("adni")
    with pytest.raises(SettingsError, match="'_tree' is unknown"):
        load_layout("_tree")


def test_many_small_files_are_quick(tmp_path):
    folder = tmp_path / "raw" / "BraTS2021_00000"
    make_brats21(tmp_path / "raw", count=1)
    for number in range(1, 1251):
        name = f"BraTS2021_{number:05d}"
        (tmp_path / "raw" / name).mkdir()
        for kind in ("t1", "t1ce", "t2", "flair", "seg"):
            os.link(
                folder / f"{folder.name}_{kind}.nii.gz",
                tmp_path / f"raw/{name}/{name}_{kind}.nii.gz",
            )
    started = time.process_time()
    found = find_subjects("brats21", tmp_path / "raw", LayoutOptions(modalities=("t2",)))
    assert len(found) == 1251
    assert time.process_time() - started < 2
