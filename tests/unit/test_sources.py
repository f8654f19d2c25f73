"""The raw layouts, from tiny trees to subject tables; damaged files are named and left out."""

import time

import numpy as np
import pytest

import list_subjects
import pack_slices
import resample_scans
from brainuad import tables
from brainuad.errors import ScanError, SettingsError
from brainuad.slices import read_slices
from brainuad.sources import source_named
from brainuad.volumes import Volume, write_volume

AFFINE = np.diag([-2.0, -2.0, 2.0, 1.0])
MODALITIES = {
    "ixi": ["t1", "t2"],
    "brats21": ["t2"],
    "mslub": ["t2"],
    "atlas": ["t1"],
    "wmh": ["t1"],
}
ATLAS_STEM = "{0}_ses-1_space-MNI152NLin2009aSym"


def write_scan(path, seed=0):
    data = np.random.default_rng(seed).normal(100, 10, (4, 5, 3)).astype(np.float32)
    write_volume(Volume(data, AFFINE), path)


def write_seg(path, labels=(1,)):
    data = np.zeros((4, 5, 3), np.uint8)
    data.flat[: len(labels)] = labels
    write_volume(Volume(data, AFFINE), path)


def make_ixi(root, flat=False):
    for number, site in ((2, "Guys"), (12, "HH"), (35, "IOP")):
        for kind in ("T1", "T2"):
            folder = root if flat else root / f"IXI-{kind}"
            write_scan(folder / f"IXI{number:03d}-{site}-{800 + number:04d}-{kind}.nii.gz", number)


def make_brats21(root, count=3):
    for number in range(count):
        folder = root / f"BraTS2021_{number:05d}"
        for kind in ("t1", "t1ce", "t2", "flair"):
            write_scan(folder / f"{folder.name}_{kind}.nii.gz", number)
        write_seg(folder / f"{folder.name}_seg.nii.gz", (1, 2, 4))


def make_mslub(root):
    for number in (1, 2):
        folder = root / f"patient{number:02d}"
        for kind in ("T1W", "T1WKS", "T2W", "FLAIR"):
            write_scan(folder / f"{folder.name}_{kind}.nii.gz", number)
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


def listed(tmp_path, dataset, *, on_broken="leave_out"):
    list_subjects.main(
        root=tmp_path / "raw",
        output=tmp_path / "subjects.tsv",
        dataset=dataset,
        modalities=MODALITIES[dataset],
        lesions=dataset != "ixi",
        on_broken=on_broken,
        threads=2,
    )
    return tables.read_table(tmp_path / "subjects.tsv")


@pytest.mark.parametrize("dataset", MAKERS)
def test_layout_becomes_a_table(tmp_path, dataset):
    MAKERS[dataset](tmp_path / "raw")
    table = listed(tmp_path, dataset)
    columns = ["subject", "t1", "t2", "seg", "age", "sex", "site", "status", "reason"]
    assert table.columns.tolist() == columns
    subjects, sites = EXPECTED[dataset]
    assert table["subject"].tolist() == subjects
    assert [None if site != site else site for site in table["site"]] == sites
    assert (table["status"] == "ok").all()
    assert table["reason"].isna().all()
    for modality in ("t1", "t2"):
        asked = modality in MODALITIES[dataset]
        assert table[modality].notna().all() if asked else table[modality].isna().all()
    assert table["seg"].isna().all() if dataset == "ixi" else table["seg"].notna().all()


def test_the_right_file_of_several_is_taken(tmp_path):
    make_mslub(tmp_path / "raw")
    scan = listed(tmp_path, "mslub")["t2"].iloc[0]
    assert scan == str(tmp_path / "raw" / "patient01" / "patient01_T2W.nii.gz")


def test_other_ways_to_unpack_give_the_same_subjects(tmp_path):
    make_ixi(tmp_path / "raw", flat=True)
    assert listed(tmp_path, "ixi")["subject"].tolist() == EXPECTED["ixi"][0]
    other = tmp_path / "other"
    make_atlas(other / "raw", top="ATLAS_2")
    assert listed(other, "atlas")["subject"].tolist() == EXPECTED["atlas"][0]


def test_age_and_sex_of_ixi_with_repeated_rows(tmp_path):
    make_ixi(tmp_path / "raw")
    (tmp_path / "raw" / "IXI.csv").write_text(
        'IXI_ID,"SEX_ID (1=m, 2=f)",AGE\n2,2,35.8\n12,1,\n12,1,38.78\n12,1,50\n'
    )
    table = listed(tmp_path, "ixi").set_index("subject")
    assert table.loc["IXI002-Guys-0802", ["age", "sex"]].tolist() == [35.8, "f"]
    assert table.loc["IXI012-HH-0812", ["age", "sex"]].tolist() == [38.78, "m"]
    assert table.loc["IXI035-IOP-0835", ["age", "sex"]].isna().all()


def test_subject_without_a_modality_is_left_out_with_the_reason(tmp_path):
    make_ixi(tmp_path / "raw")
    next((tmp_path / "raw" / "IXI-T2").glob("IXI012*")).unlink()
    for on_broken in ("leave_out", "stop"):
        table = listed(tmp_path, "ixi", on_broken=on_broken).set_index("subject")
        row = table.loc["IXI012-HH-0812"]
        assert (row["status"], row["reason"]) == ("left_out", "no t2 scan of this subject")
        assert (table["status"] == "ok").sum() == 2


def damage_scan(path):
    path.write_bytes(path.read_bytes()[:80])


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


def test_stop_makes_a_broken_scan_fatal_in_one_line(tmp_path):
    make_brats21(tmp_path / "raw")
    broken = tmp_path / "raw" / "BraTS2021_00001" / "BraTS2021_00001_t2.nii.gz"
    broken.write_bytes(b"")
    with pytest.raises(ScanError, match="the file is empty") as raised:
        listed(tmp_path, "brats21", on_broken="stop")
    assert str(raised.value).startswith(str(broken))
    assert not (tmp_path / "subjects.tsv").exists()


def test_missing_root_empty_root_and_nothing_usable(tmp_path):
    with pytest.raises(SettingsError, match=r"raw does not exist.*patient01_"):
        listed(tmp_path, "mslub")
    (tmp_path / "raw").mkdir()
    with pytest.raises(SettingsError, match=r"no scans under .*raw; expected patient01/"):
        listed(tmp_path, "mslub")
    (tmp_path / "raw" / "patient01").mkdir()
    with pytest.raises(SettingsError, match="none of the 1 subjects"):
        listed(tmp_path, "mslub")
    with pytest.raises(SettingsError, match="'adni' is unknown; known are atlas, brats21, ixi"):
        source_named("adni")


def test_many_small_files_are_quick(tmp_path):
    make_brats21(tmp_path / "raw", count=100)
    started = time.perf_counter()
    assert len(listed(tmp_path, "brats21")) == 100
    assert time.perf_counter() - started < 5


def test_resampled_lesions_tell_lesion_from_ignored(tmp_path):
    make_wmh(tmp_path / "raw")
    listed(tmp_path, "wmh")
    resample_scans.main(
        subjects=tmp_path / "subjects.tsv",
        output=tmp_path / "batch",
        batch=["Utrecht_0", "Singapore_50"],
        modality="t1",
        spacing=2.0,
        lesion_labels=[1],
        ignored_labels=[2],
    )
    # As the stages after it would leave the batch: every volume on the grid of its image.
    for subject in ("Utrecht_0", "Singapore_50"):
        folder = tmp_path / "batch" / subject
        write_volume(
            Volume(np.ones((4, 5, 3), np.uint8), np.diag([2.0, 2, 2, 1]) + shift_of_flip()),
            folder / "brain_mask.nii.gz",
        )
    pack_slices.main(
        batches=[tmp_path / "batch"],
        slices=tmp_path / "wmh_t1.npz",
        left_out=tmp_path / "wmh_t1_left_out.tsv",
        on_broken="stop",
    )
    stack = read_slices(tmp_path / "wmh_t1.npz")
    assert stack.subjects.tolist() == ["Singapore_50", "Utrecht_0"]
    assert stack.images.shape == (2, 3, 4, 5)
    # The file counts from the right and the back; label 1 was its first voxel, 2 the next one up.
    assert stack.lesions[0, 0, 3, 4] == 1
    assert stack.lesions[0, 1, 3, 4] == 2
    assert np.count_nonzero(stack.lesions) == 4
    np.testing.assert_allclose(stack.affines[0], np.diag([2.0, 2, 2, 1]) + shift_of_flip())


def test_scan_left_out_by_a_stage_is_fatal_where_asked(tmp_path):
    batch = tmp_path / "batch"
    batch.mkdir()
    (batch / "left_out.tsv").write_text("subject\tstage\treason\np7\tregistered\tlost\n")
    paths = {"slices": tmp_path / "a.npz", "left_out": tmp_path / "left_out.tsv"}
    with pytest.raises(ScanError, match="p7 could not be registered: lost"):
        pack_slices.main(batches=[batch], **paths, on_broken="stop")


def shift_of_flip():
    """The first voxel of the RAS volume was the last one of the file: 3 x 2 and 4 x 2 mm back."""
    shift = np.zeros((4, 4))
    shift[:2, 3] = (-6.0, -8.0)
    return shift
