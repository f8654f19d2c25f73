"""BIDS folders with several sessions, runs and spaces: which scan and which mask are taken."""

import pytest
from test_layouts import listed
from test_layouts_own import paths, write_tree

from brainuad.io.errors import SettingsError

SUBJECT = "sub-01"
MANUAL = f"derivatives/manual/{SUBJECT}"


def anat(name, *, session="", top=SUBJECT):
    """A file of the subject's folder anat: `session` as 1, `name` as T1w."""
    folder = f"{top}/ses-{session}/anat/" if session else f"{top}/anat/"
    return f"{folder}{SUBJECT}_{f'ses-{session}_' if session else ''}{name}.nii.gz"


# The files, and of each row the session, the scan and, where there is one, the mask.
TAKEN = {
    "a mask of one session": (
        [anat("T1w", session=1), anat("T1w", session=2), anat("label-L_mask", session=2)],
        [("1", 0, None), ("2", 1, 2)],
    ),
    "a mask of one session in derivatives": (
        [
            anat("T1w", session=1),
            anat("T1w", session=2),
            anat("lesion_roi", session=2, top=MANUAL),
        ],
        [("1", 0, None), ("2", 1, 2)],
    ),
    "a mask of each session, 2 before 10": (
        [anat(kind, session=n) for n in (10, 2, 1) for kind in ("T1w", "lesion_mask")][:-1],
        [("1", 4, None), ("2", 2, 3), ("10", 0, 1)],
    ),
    "a mask of another run": (
        [
            anat("run-1_T1w", session=1),
            anat("run-2_label-L_mask", session=1),
            anat("run-1_T1w", session=2),
            anat("run-1_label-L_mask", session=2),
        ],
        [("1", 0, None), ("2", 2, 3)],
    ),
    "a mask without a session": (
        [anat("T1w", session="pre"), anat("label-lesion_mask", top=MANUAL)],
        [("pre", 0, 1)],
    ),
    "a mask without a session, of two of which one has a scan": (
        [anat("T2w", session=2), anat("T1w", session=1), anat("label-L_mask", top=MANUAL)],
        [("1", 1, 2), ("2", None, None)],
    ),
    "a scan and a mask without a session beside one with": (
        [anat("T1w", session=1), anat("T1w"), anat("label-L_mask", top=MANUAL)],
        [("", 1, 2), ("1", 0, None)],
    ),
    "a mask whose name alone has the session": (
        [
            anat("T1w", session=1),
            anat("T1w", session=2),
            f"{MANUAL}/anat/{SUBJECT}_ses-2_label-L_mask.nii.gz",
        ],
        [("1", 0, None), ("2", 1, 2)],
    ),
    "the native mask beside others": (
        [
            anat("T1w"),
            anat("label-lesion_mask"),
            anat("space-MNI152NLin2009aSym_label-lesion_mask", top=MANUAL),
            anat("space-orig_label-lesion_mask", top=MANUAL),
        ],
        [("", 0, 1)],
    ),
    "the mask of the original space": (
        [
            anat("T1w"),
            anat("space-MNI152Lin_label-L_mask", top=MANUAL),
            anat("space-orig_label-L_mask", top=MANUAL),
        ],
        [("", 0, 2)],
    ),
    "the mask in the scan's own space": (
        [
            anat("T1w"),
            anat("space-T2w_label-L_mask", top=MANUAL),
            anat("space-T1w_label-L_mask", top=MANUAL),
        ],
        [("", 0, 2)],
    ),
    "the mask in the native space by that name": (
        [
            anat("T1w"),
            anat("space-MNI_label-L_mask", top=MANUAL),
            anat("space-native_label-L_mask", top=MANUAL),
        ],
        [("", 0, 2)],
    ),
    "the mask in the scan's own space, in small letters": (
        [
            anat("T1w"),
            anat("space-MNI_label-L_mask", top=MANUAL),
            anat("space-t1w_label-L_mask", top=MANUAL),
        ],
        [("", 0, 2)],
    ),
    "the mask of a scan in a standard space": (
        [anat("space-MNI_T1w"), anat("label-L_mask"), anat("space-MNI_label-L_mask", top=MANUAL)],
        [("", 0, 2)],
    ),
    "run 2 before run 10": (
        [*(anat(f"run-{n}_T1w") for n in (10, 2, 11)), anat("label-L_mask")],
        [("", 1, 3)],
    ),
    "run 2 of two digits": (
        [anat("run-02_T1w"), anat("run-1_T1w"), anat("run-2_label-L_mask")],
        [("", 0, 2)],
    ),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_scan_and_mask_that_are_taken(tmp_path, kind):
    files, rows = TAKEN[kind]
    write_tree(tmp_path / "raw", files)
    table = listed(tmp_path, "bids")
    assert table["session"].tolist() == [session for session, _, _ in rows]
    assert set(table["subject"]) == {SUBJECT}
    assert paths(table, tmp_path / "raw", "t1") == [
        None if scan is None else files[scan] for _, scan, _ in rows
    ]
    masks = [None if mask is None else files[mask] for _, _, mask in rows]
    assert paths(table, tmp_path / "raw", "seg") == masks
    assert table["status"].tolist() == ["ok" if mask else "left_out" for mask in masks]


def test_a_mask_without_a_session_is_nobodys_where_there_are_two(tmp_path):
    sessions = [anat("T1w", session=n) for n in (1, 2)]
    write_tree(tmp_path / "raw", [*sessions, anat("label-L_mask", top=MANUAL)])
    with pytest.raises(SettingsError, match="label-L_mask names no session, and sub-01 has"):
        listed(tmp_path, "bids")
    table = listed(tmp_path, "bids", lesions=False)
    assert table["status"].tolist() == ["ok", "ok"]


def test_sessions_may_have_other_modalities(tmp_path):
    files = [
        *(anat("T1w", session=1), anat("T2w", session=1), anat("T2w", session=2)),
        anat("T2w", session="mri"),
        anat("T2w", session="pet").replace("/anat/", "/pet/"),
    ]
    write_tree(tmp_path / "raw", files)
    table = listed(tmp_path, "bids", modalities=["t1", "t2"], lesions=False)
    table = table.set_index("session")
    assert table["status"].to_dict() == {"1": "ok", "2": "partial", "mri": "partial"}
    assert table.loc["2", "reason"] == "no t1 scan of this session"
    table = listed(tmp_path, "bids", lesions=False).set_index("session")
    assert table["status"].to_dict() == {"1": "ok", "2": "left_out", "mri": "left_out"}
    assert table.loc["2", "reason"] == "no t1 scan of this session"


def test_a_mask_of_another_session_is_none(tmp_path):
    write_tree(tmp_path / "raw", [anat("T1w", session=1), anat("label-L_mask", session=2)])
    with pytest.raises(SettingsError, match="no lesion mask of this session"):
        listed(tmp_path, "bids")


@pytest.mark.parametrize(("name", "left"), [("sub-01", []), ("sub-01_ses-2", ["1"])])
def test_a_subject_or_one_of_its_sessions_is_excluded(tmp_path, name, left):
    other = [anat("T1w").replace("sub-01", "sub-02")]
    write_tree(tmp_path / "raw", [*(anat("T1w", session=n) for n in (1, 2)), *other])
    table = listed(tmp_path, "bids", lesions=False, exclude=[name])
    used = table[table["status"] == "ok"]
    assert used["session"].tolist() == [*left, ""]
    with pytest.raises(SettingsError, match="exclude names 'sub-01_ses-3', which is not a subject"):
        listed(tmp_path, "bids", lesions=False, exclude=["sub-01_ses-3"])


def test_a_mask_of_another_run_is_none(tmp_path):
    write_tree(tmp_path / "raw", [anat("T1w"), anat("run-2_label-L_mask")])
    with pytest.raises(SettingsError, match="no lesion mask of this subject"):
        listed(tmp_path, "bids")


def test_a_missing_scan_counts_before_a_missing_mask(tmp_path):
    write_tree(tmp_path / "raw", [anat("ce-gadolinium_T1w"), anat("label-L_mask")])
    with pytest.raises(SettingsError, match="the first one: no t1 scan of this subject"):
        listed(tmp_path, "bids")


def test_two_scans_of_one_name_are_nobodys(tmp_path):
    odd = "sub-01_ses-1/anat/sub-01_ses-1_T1w.nii.gz"
    write_tree(tmp_path / "raw", [anat("T1w", session=1), odd, anat("T1w", session=2)])
    table = listed(tmp_path, "bids", lesions=False)
    assert table["status"].tolist() == ["left_out", "ok", "left_out"]
    assert "two scans would be called 'sub-01_ses-1'" in table["reason"].iloc[0]


def test_what_is_passed_over_is_in_the_log(tmp_path, capsys):
    files, _ = TAKEN["the native mask beside others"]
    write_tree(tmp_path / "raw", files)
    listed(tmp_path, "bids")
    log = capsys.readouterr().out
    assert "space-MNI152NLin2009aSym" in log and "space-orig" in log
