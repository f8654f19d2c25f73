"""A user's own data: BIDS folders, patterns, tables, and the authors' preprocessed archive."""

import os

import numpy as np
import pandas as pd
import pytest
from test_layouts import AFFINE, damage_scan, listed, make_atlas, write_scan, write_seg

from brainuad.images.volumes import Volume, write_volume
from brainuad.io.errors import SettingsError

BIDS_FILES = [
    "sub-01/anat/sub-01_T1w.nii.gz",
    "sub-01/anat/sub-01_label-lesion_roi.nii.gz",
    "sub-02/anat/sub-02_T1w.nii",
    "derivatives/manual/sub-02/anat/sub-02_space-orig_label-L_mask.nii.gz",
]


def write_tree(root, files):
    """Write each file: a mask where its name says so, a scan otherwise."""
    for file in files:
        is_mask = any(word in file for word in ("mask", "roi", "seg"))
        (write_seg if is_mask else write_scan)(root / file)


def paths(table, root, column):
    """The files of a column below the root, None where the cell is empty."""
    return [
        None if pd.isna(cell) else os.path.relpath(cell, root) for cell in table[column].tolist()
    ]


@pytest.mark.parametrize("above", ["", "ds000001-1.0"])
def test_bids_folder(tmp_path, above):
    root = tmp_path / "raw" / above
    write_tree(root, BIDS_FILES)
    (root / "participants.tsv").write_text(
        "participant_id\tage\tsex\tsite\nsub-02\t61.5\tF\tn/a\nsub-01\tn/a\tmale\tB\n"
    )
    write_tree(root, ["derivatives/participants.tsv/of_another_study.nii.gz"])
    table = listed(tmp_path, "bids")
    assert table["subject"].tolist() == ["sub-01", "sub-02"]
    assert (table["status"] == "ok").all()
    assert paths(table, root, "t1") == [BIDS_FILES[0], BIDS_FILES[2]]
    assert paths(table, root, "seg") == [BIDS_FILES[1], BIDS_FILES[3]]
    assert table["age"].tolist()[1] == 61.5 and pd.isna(table["age"].iloc[0])
    assert table["sex"].tolist() == ["m", "f"]
    assert table["site"].iloc[0] == "B" and pd.isna(table["site"].iloc[1])
    assert table["lesion_ml"].tolist() == [0.008, 0.008]


def test_bids_subject_without_scans_is_listed(tmp_path):
    write_tree(tmp_path / "raw", [*BIDS_FILES, "sub-03/func/sub-03_bold.nii.gz"])
    row = listed(tmp_path, "bids", lesions=False).loc["sub-03"]
    assert (row["status"], row["reason"]) == ("left_out", "no t1 scan of this subject")


def test_all_sessions_and_their_first_runs_are_taken_and_the_log_says_so(tmp_path, capsys):
    anat = "sub-01/{0}/anat/sub-01_{0}_{1}.nii.gz"
    files = [
        anat.format("ses-b", "run-2_T1w"),
        anat.format("ses-b", "run-1_T1w"),
        anat.format("ses-b", "ce-gadolinium_T1w"),
        anat.format("ses-b", "T2w"),
        anat.format("ses-b", "label-L_desc-T1lesion_mask"),
        anat.format("ses-a", "T2w"),
        anat.format("ses-c", "T1w"),
        "derivatives/manual/" + anat.format("ses-c", "lesion_mask"),
    ]
    write_tree(tmp_path / "raw", files)
    table = listed(tmp_path, "bids")
    assert paths(table, tmp_path / "raw", "t1") == [None, files[1], files[6]]
    assert paths(table, tmp_path / "raw", "seg") == [None, files[4], files[7]]
    log = capsys.readouterr().out
    assert "scans or masks that are not used: 1" in log
    assert "run-2_T1w" in log and "ses-c_T1w" not in log and "gadolinium" not in log
    both = listed(tmp_path, "bids", modalities=["t1", "t2"])
    assert both["session"].tolist() == ["a", "b", "c"]
    assert both["status"].tolist() == ["left_out", "ok", "partial"]
    first = listed(tmp_path, "bids", modalities=["t2"], lesions=False)
    assert paths(first, tmp_path / "raw", "t2") == [files[5], files[3], None]


ANAT = "sub-01/anat/sub-01_"
MANUAL = f"derivatives/manual/{ANAT}"
SCANS_AND_MASKS = {
    "the run with a mask": (["run-1_T1w", "run-2_T1w"], "run-2_label-L_mask", "run-2_T1w", True),
    "any run's mask": (["run-1_T1w", "run-2_T1w"], "label-L_mask", "run-1_T1w", True),
    "no run and another's mask": (["T1w"], "run-2_label-L_mask", "T1w", False),
    "another run's mask": (["run-1_T1w"], "run-2_label-L_mask", "run-1_T1w", False),
    "another acquisition's": (["acq-a_T1w"], "acq-b_lesion_roi", "acq-a_T1w", False),
    "the acquisition's own": (["acq-a_T1w", "acq-b_T1w"], "acq-b_lesion_roi", "acq-b_T1w", True),
    "another space": (["space-a_T1w"], "space-b_label-lesion_mask", "space-a_T1w", False),
    "lesion at the end": (["T1w"], "desc-manualLesion_mask", "T1w", True),
    "lesion at the start": (["T1w"], "desc-lesions2_mask", "T1w", True),
    "no lesion": (["T1w"], "desc-nonlesion_mask", "T1w", False),
    "lesion in between": (["T1w"], "desc-prelesional_mask", "T1w", False),
}


@pytest.mark.parametrize("kind", SCANS_AND_MASKS)
def test_a_mask_goes_with_its_own_scan(tmp_path, kind):
    scans, mask, taken, is_used = SCANS_AND_MASKS[kind]
    # The session has the name that a mask must not.
    names = [name.replace("sub-01", "sub-01/ses-lesion", 1) for name in (ANAT, MANUAL)]
    anat, manual = (name.removesuffix("_") + "_ses-lesion_" for name in names)
    files = [f"{anat}{scan}.nii.gz" for scan in scans]
    write_tree(tmp_path / "raw", [*files, f"{manual}{mask}.nii.gz"])
    table = listed(tmp_path, "bids", lesions=False)
    assert paths(table, tmp_path / "raw", "t1") == [f"{anat}{taken}.nii.gz"]
    if is_used:
        asked = listed(tmp_path, "bids")
        assert paths(asked, tmp_path / "raw", "seg") == [f"{manual}{mask}.nii.gz"]
    else:
        with pytest.raises(SettingsError, match="no lesion mask of this session"):
            listed(tmp_path, "bids")


def test_each_run_has_its_mask(tmp_path, capsys):
    runs = [f"{ANAT}run-{n}_{kind}.nii.gz" for n in (1, 2) for kind in ("T1w", "label-L_mask")]
    write_tree(tmp_path / "raw", runs)
    table = listed(tmp_path, "bids")
    assert paths(table, tmp_path / "raw", "t1") == [runs[0]]
    assert paths(table, tmp_path / "raw", "seg") == [runs[1]]
    assert "run-2_label-L_mask" in capsys.readouterr().out


def test_two_lesion_masks_of_a_bids_subject_leave_it_out(tmp_path):
    extra = "derivatives/other/sub-01/anat/sub-01_lesion_mask.nii.gz"
    write_tree(tmp_path / "raw", [*BIDS_FILES, extra])
    table = listed(tmp_path, "bids")
    assert table["status"].tolist() == ["left_out", "ok"]
    assert BIDS_FILES[1] in table["reason"].iloc[0] and extra in table["reason"].iloc[0]


def test_bids_subject_in_two_folders_is_left_out(tmp_path):
    write_tree(tmp_path / "raw", [*BIDS_FILES, "copy/sub-01/anat/sub-01_T1w.nii.gz"])
    table = listed(tmp_path, "bids")
    assert table["status"].tolist() == ["left_out", "ok"]
    assert str(tmp_path / "raw" / "copy" / "sub-01") in table["reason"].iloc[0]


def test_strokes_as_bids_folder(tmp_path):
    make_atlas(tmp_path / "raw", top="ATLAS_2")
    table = listed(tmp_path, "bids")
    assert table["subject"].tolist() == ["sub-r001s001", "sub-r027s012"]
    assert (table["status"] == "ok").all()
    assert table["seg"].str.endswith("_label-L_desc-T1lesion_mask.nii.gz").all()


def test_scans_of_derivatives_are_no_scans(tmp_path):
    write_tree(tmp_path / "raw", [*BIDS_FILES, "derivatives/n4/sub-09/anat/sub-09_T1w.nii.gz"])
    assert listed(tmp_path, "bids")["subject"].tolist() == ["sub-01", "sub-02"]


PATTERNS = {"t1": "mri/{subject}/T1_{subject}.nii.gz", "seg": "masks/{subject}_seg.nii.gz"}


def test_patterns(tmp_path):
    files = [
        "mri/Anna B/T1_Anna B.nii",
        "mri/ä-2/T1_ä-2.nii.gz",
        "mri/x/T1_y.nii.gz",
        "deeper/mri/z/T1_z.nii.gz",
        "masks/Anna B_seg.nii.gz",
        "masks/nobody_seg.nii.gz",
    ]
    write_tree(tmp_path / "raw", files)
    table = listed(tmp_path, "files", files=PATTERNS)
    assert table["subject"].tolist() == ["Anna B", "nobody", "ä-2"]
    assert table["status"].tolist() == ["ok", "left_out", "left_out"]
    assert paths(table, tmp_path / "raw", "t1") == [files[0], None, files[1]]
    assert paths(table, tmp_path / "raw", "seg") == [files[4], files[5], None]
    assert table["reason"].iloc[1] == "no t1 scan of this subject"
    assert table["reason"].iloc[2] == "no lesion mask of this subject"


def test_pattern_and_file_may_have_their_suffix_in_capitals(tmp_path):
    write_tree(tmp_path / "raw", ["1/T1.NII.GZ", "2/T1.Nii", "3/T1.nii.gz"])
    table = listed(tmp_path, "files", files={"t1": "{subject}/T1.NII.gz"}, lesions=False)
    assert table["subject"].tolist() == ["1", "2", "3"]
    assert (table["status"] == "ok").all()


def test_pattern_characters_stand_for_themselves(tmp_path):
    write_tree(tmp_path / "raw", ["a+b/1.T1.nii.gz", "aab/2.T1.nii.gz", "a+b/3xT1.nii.gz"])
    table = listed(tmp_path, "files", files={"t1": "./a+b/{subject}.T1.nii"}, lesions=False)
    assert table["subject"].tolist() == ["1"]


def test_subjects_of_two_patterns(tmp_path):
    write_tree(tmp_path / "raw", ["1_t1.nii.gz", "1_t2.nii.gz", "2_t2.nii.gz"])
    table = listed(
        tmp_path,
        "files",
        files={"t1": "{subject}_t1.nii.gz", "t2": "{subject}_t2.nii.gz"},
        modalities=["t1", "t2"],
        lesions=False,
    )
    assert table["status"].tolist() == ["ok", "partial"]


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("T1.nii.gz", "own_name: files.t1: the pattern 'T1.nii.gz' has no {subject}"),
        ("{subject}/T1.mgz", "does not end in .nii.gz or .nii"),
        ("{subject}/T9.nii.gz", "no file below"),
    ],
)
def test_pattern_that_fits_nothing(tmp_path, pattern, line):
    write_tree(tmp_path / "raw", ["01/T1.nii.gz", "01/seg.nii.gz"])
    with pytest.raises(SettingsError) as raised:
        listed(tmp_path, "files", files={"t1": pattern, "seg": "{subject}/seg.nii.gz"})
    assert line in str(raised.value)


def test_table(tmp_path):
    root = tmp_path / "raw"
    write_tree(root, ["lists/scans/a.nii.gz", "lists/scans/a_seg.nii.gz", "b.nii.gz"])
    (root / "lists" / "scans.tsv").write_text(
        "subject\tt1\tseg\tage\tsex\n"
        " 002 \t scans/a.nii.gz\tscans/a_seg.nii.gz\t33\tf\n"
        f"001\t{root / 'b.nii.gz'}\t\t\t\n"
        "003\tscans/none.nii.gz\tscans/a_seg.nii.gz\t\t\n"
        "004\tscans/a.hdr\tscans/a_seg.nii.gz\t\t\n"
    )
    table = listed(tmp_path, "table", table="lists/scans.tsv")
    assert table["subject"].tolist() == ["001", "002", "003", "004"]
    assert table["status"].tolist() == ["left_out", "ok", "left_out", "left_out"]
    assert paths(table, root, "t1")[:2] == ["b.nii.gz", "lists/scans/a.nii.gz"]
    assert table.loc["002", ["age", "sex"]].tolist() == [33, "f"]
    for subject, part in (("001", "no lesion mask"), ("003", "not exist"), ("004", "convert")):
        assert part in table.loc[subject, "reason"]


def test_table_with_other_spellings(tmp_path):
    root = tmp_path / "raw"
    write_tree(root, ["a.nii.gz", "b.nii.gz"])
    (root / "scans.csv").write_text(
        "Participant_ID;T1;t1;seg;Age (years);gender;SITE;\n007;a.nii.gz;;n/a;89+;F;01;\n;;;;;;;\n"
        "8;b.nii.gz;;;34,5;o;1;\n"
    )
    table = listed(tmp_path, "table", table="scans.csv", lesions=False)
    assert table["subject"].tolist() == ["007", "8"]
    assert paths(table, root, "t1") == ["a.nii.gz", "b.nii.gz"]
    assert table["age"].tolist() == [89, 34.5]
    assert table["sex"].tolist()[0] == "f" and table["sex"].isna().tolist() == [False, True]
    # Sites that are called by numbers are names.
    assert table["site"].tolist() == ["01", "1"]


@pytest.mark.parametrize("place", ["downloads", "raw", "raw/lists"])
def test_table_beside_archives_or_in_them(tmp_path, place):
    folder = tmp_path / place
    write_tree(tmp_path / "raw", ["scans/a.nii.gz"])
    folder.mkdir(exist_ok=True)
    # Beside the archives its paths count from what was unpacked, within them from its own folder.
    path = "../scans/a.nii.gz" if place == "raw/lists" else "scans/a.nii.gz"
    (folder / "scans.csv").write_text(f"subject,t1\n1,{path}\n")
    name = "lists/scans.csv" if place == "raw/lists" else "scans.csv"
    table = listed(tmp_path, "table", table=name, downloads=tmp_path / "downloads", lesions=False)
    assert table["status"].tolist() == ["ok"]
    assert paths(table, tmp_path / "raw", "t1") == ["scans/a.nii.gz"]


def test_scan_of_two_rows_is_nobodys(tmp_path):
    write_tree(tmp_path / "raw", ["a.nii.gz", "b.nii.gz"])
    rows = "1,a.nii.gz\n2,b.nii.gz\n3,./x/../a.nii.gz\n"
    (tmp_path / "raw" / "scans.csv").write_text(f"subject,t1\n{rows}")
    table = listed(tmp_path, "table", table="scans.csv", lesions=False)
    assert table["status"].tolist() == ["left_out", "ok", "left_out"]
    for subject in ("1", "3"):
        assert "a.nii.gz is listed more than once (1, 3)" in table.loc[subject, "reason"]


def test_subject_of_two_rows_is_left_out(tmp_path):
    write_tree(tmp_path / "raw", ["a.nii.gz", "b.nii.gz"])
    (tmp_path / "raw" / "scans.csv").write_text("subject,t1\n1,a.nii.gz\n2,b.nii.gz\n1,b.nii.gz\n")
    table = listed(tmp_path, "table", table="scans.csv", lesions=False)
    assert table["status"].tolist() == ["left_out", "ok"]
    assert "scans.csv: has more than one row for this subject" in table["reason"].iloc[0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "subject,t1,mask\n1,a.nii.gz,b\n",
            "has the unknown column 'mask'; known are subject, session, t1",
        ),
        ("subject,t2\n1,a.nii.gz\n", "has no column 't1'"),
        ("t1\na.nii.gz\n", "has no column 'subject'"),
        ("subject,t1\n../1,a.nii.gz\n", "row 2: the subject '../1' cannot name a folder"),
        ("subject,t1\n1,a.nii.gz\n..,a.nii.gz\n", "row 3: the subject '..' cannot name a folder"),
        ("subject,t1\n,a.nii.gz\n", "row 2: the subject has no name"),
        ("subject,t1\n", "no scans under"),
        ("subject,t1\n1,a.nii.gz,\n", "row 2 has 3 cells, the header 2"),
        ("subject,t1\n\n,a.nii.gz\n", "row 3: the subject has no name"),
        ("subject,t1,T1\n1,a.nii.gz,b.nii.gz\n", "has two columns 't1' and 'T1' with different"),
        ("subject,t1,\n1,a.nii.gz,x\n", "has the unknown column ''"),
        ("", "is not a table that can be read"),
        (None, "scans.csv: the file does not exist"),
    ],
)
def test_table_that_cannot_be_used(tmp_path, text, line):
    write_scan(tmp_path / "raw" / "a.nii.gz")
    if text is not None:
        (tmp_path / "raw" / "scans.csv").write_text(text)
    with pytest.raises(SettingsError) as raised:
        listed(tmp_path, "table", table="scans.csv", lesions=False)
    assert line in str(raised.value)
    assert str(raised.value).startswith("own_name: ") and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("layout", "options"),
    [("mslub", {}), ("files", {"files": {"t1": "{subject}_T1.nii.gz"}})],
)
def test_archives_in_place_of_scans_are_named(tmp_path, layout, options):
    (tmp_path / "raw" / "more").mkdir(parents=True)
    for name in ("patient01-05.zip", "more/patient06-10.tar.gz"):
        (tmp_path / "raw" / name).write_bytes(b"PK")
    shown = r"There are archives: more/patient06-10\.tar\.gz, patient01-05\.zip; "
    with pytest.raises(SettingsError, match=f"{shown}name them in archives, or unpack them"):
        listed(tmp_path, layout, **options)
    with pytest.raises(SettingsError, match=f"{shown}they came inside an archive; unpack that one"):
        listed(tmp_path, layout, downloads=tmp_path, **options)


def test_archives_beside_scans_stand_in_the_log(tmp_path, capfd):
    write_tree(tmp_path / "raw", ["01/T1.nii.gz"])
    (tmp_path / "raw" / "02.zip").write_bytes(b"PK")
    listed(tmp_path, "files", files={"t1": "{subject}/T1.nii.gz"}, lesions=False)
    assert (
        f"archives under {tmp_path / 'raw'} that are not unpacked: 02.zip" in capfd.readouterr().out
    )


def test_other_formats_in_a_table_and_in_a_pattern_name_their_converter(tmp_path):
    write_tree(tmp_path / "raw", ["1.nii.gz"])
    (tmp_path / "raw" / "scans.csv").write_text(
        "subject,t1\na,1.nii.gz\nb,2.mgz\nc,3.MHA\nd,4.img.gz\n"
    )
    table = listed(tmp_path, "table", table="scans.csv", lesions=False)
    assert (
        "2.mgz: is a FreeSurfer volume; convert it to .nii.gz with mri_convert"
        in (table.loc["b", "reason"])
    )
    assert "3.MHA: is a MetaImage; convert it to .nii.gz" in table.loc["c", "reason"]
    assert "4.img.gz: is half of an Analyze or NIfTI pair" in table.loc["d", "reason"]
    with pytest.raises(SettingsError, match=r"does not end in .nii.gz or .nii: it is a FreeSurfer"):
        listed(tmp_path, "files", files={"t1": "{subject}.mgz"}, lesions=False)


def write_archive(root, *, part, modality, names):
    for name in names:
        write_scan(root / part / modality / f"{name}_{modality}.nii.gz")
        write_seg(root / part / "seg" / f"{name}_seg.nii.gz")
        write_seg(root / part / "mask" / f"{name}_mask.nii.gz", (1,) * 30)


@pytest.mark.parametrize("above", ["", "Data"])
def test_authors_archive(tmp_path, above):
    root = tmp_path / "raw" / above
    stem = "sub-r031s006_ses-1_space-MNI152NLin2009aSym"
    write_archive(root, part="Test/ATLAS_v2", modality="t1", names=[stem])
    write_archive(root, part="Test/WMH", modality="t1", names=["Utrecht_0", "Singapore_50"])
    table = listed(tmp_path, "preprocessed", part="Test/ATLAS_v2")
    assert table["subject"].tolist() == ["sub-r031s006"]
    files = [f"Test/ATLAS_v2/{kind}/{stem}_{kind}.nii.gz" for kind in ("t1", "seg", "mask")]
    for column, file in zip(("t1", "seg", "brain_mask"), files, strict=True):
        assert paths(table, root, column) == [file]
    assert table["lesion_ml"].tolist() == [0.008]
    other = listed(tmp_path, "preprocessed", part="Test/WMH")
    assert other["subject"].tolist() == ["Singapore_50", "Utrecht_0"]


def test_authors_healthy_subjects(tmp_path):
    names = ["IXI105-HH-1471", "IXI002-Guys-0828", "IXI012-HH-1211"]
    for modality in ("t1", "t2"):
        write_archive(tmp_path / "raw", part="Train/ixi", modality=modality, names=names)
    (tmp_path / "raw/Train/ixi/t2/IXI012-HH-1211_t2.nii.gz").unlink()
    (tmp_path / "raw/Train/ixi/mask/IXI105-HH-1471_mask.nii.gz").unlink()
    (tmp_path / "raw" / "people.csv").write_text("subject,age\nIXI002-Guys-0828,36\n")
    table = listed(
        tmp_path,
        "preprocessed",
        part="Train/ixi",
        modalities=["t1", "t2"],
        lesions=False,
        demographics="people.csv",
    )
    assert table["status"].tolist() == ["ok", "partial", "left_out"]
    assert table["reason"].iloc[2] == "no brain mask of this subject"
    assert table["age"].iloc[0] == 36
    assert table["seg"].isna().all()


def test_masks_of_the_archive_may_lie_elsewhere_but_not_have_another_shape(tmp_path):
    write_archive(tmp_path / "raw", part="Test/WMH", modality="t1", names=["a", "b", "c", "d"])
    folder = tmp_path / "raw" / "Test" / "WMH"
    seg = np.zeros((4, 5, 3), np.float32)
    seg[0, 0] = 0.25, 1, 0.75
    before_cut = AFFINE.copy()
    before_cut[:3, 3] = 30, 40, 50
    write_volume(Volume(seg, before_cut), folder / "seg" / "a_seg.nii.gz")
    write_volume(Volume(np.ones((4, 5, 4), np.uint8), AFFINE), folder / "mask" / "b_mask.nii.gz")
    write_seg(folder / "mask" / "c_mask.nii.gz", ())
    write_seg(folder / "seg" / "d_seg.nii.gz", (1, 2))
    table = listed(tmp_path, "preprocessed", part="Test/WMH", lesion_labels=[1])
    assert table["status"].tolist() == ["ok", "left_out", "left_out", "left_out"]
    # Of the fractions three voxels are above 0.
    assert table["lesion_ml"].iloc[0] == 0.024
    for subject, part in (("b", "shape"), ("c", "mask is empty"), ("d", "unexpected label 2")):
        assert part in table.loc[subject, "reason"]
    # As released all above 0 is lesion, unless the config says otherwise.
    whole = listed(tmp_path, "preprocessed", part="Test/WMH")
    assert whole["lesion_ml"].tolist()[3] == 0.016
    one = listed(tmp_path, "preprocessed", part="Test/WMH", ignored_labels=[2])
    assert one["lesion_ml"].tolist()[3] == 0.008


def test_part_that_is_missing_or_stands_twice(tmp_path):
    write_archive(tmp_path / "raw", part="Test/WMH", modality="t1", names=["a"])
    with pytest.raises(SettingsError, match="own_name: there is no 'Test/MSLUB' below"):
        listed(tmp_path, "preprocessed", part="Test/MSLUB")
    write_archive(tmp_path / "raw" / "Data", part="Test/WMH", modality="t1", names=["a"])
    with pytest.raises(SettingsError, match=r"'Test/WMH' appears twice below"):
        listed(tmp_path, "preprocessed", part="Test/WMH")


def test_broken_mask_of_the_archive(tmp_path):
    write_archive(tmp_path / "raw", part="Test/WMH", modality="t1", names=["a", "b"])
    damage_scan(tmp_path / "raw" / "Test" / "WMH" / "mask" / "a_mask.nii.gz")
    table = listed(tmp_path, "preprocessed", part="Test/WMH")
    assert table["status"].tolist() == ["left_out", "ok"]
    assert "cut short" in table["reason"].iloc[0]
