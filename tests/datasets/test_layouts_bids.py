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


TAKEN = {
    "the session with a mask": (
        [anat("T1w", session=1), anat("T1w", session=2), anat("label-L_mask", session=2)],
        (1, 2),
    ),
    "the session with a mask in derivatives": (
        [
            anat("T1w", session=1),
            anat("T1w", session=2),
            anat("lesion_roi", session=2, top=MANUAL),
        ],
        (1, 2),
    ),
    "the first session with a mask": (
        [anat(kind, session=n) for n in (10, 2, 1) for kind in ("T1w", "lesion_mask")][:-1],
        (2, 3),
    ),
    "not the session with a mask of another run": (
        [
            anat("run-1_T1w", session=1),
            anat("run-2_label-L_mask", session=1),
            anat("run-1_T1w", session=2),
            anat("run-1_label-L_mask", session=2),
        ],
        (2, 3),
    ),
    "a mask without a session": (
        [anat("T1w", session="pre"), anat("label-lesion_mask", top=MANUAL)],
        (0, 1),
    ),
    "a mask without a session, of two sessions": (
        [anat("T1w", session=2), anat("T1w", session=1), anat("label-L_mask", top=MANUAL)],
        (1, 2),
    ),
    "a mask whose name alone has the session": (
        [
            anat("T1w", session=1),
            anat("T1w", session=2),
            f"{MANUAL}/anat/{SUBJECT}_ses-2_label-L_mask.nii.gz",
        ],
        (1, 2),
    ),
    "the native mask beside others": (
        [
            anat("T1w"),
            anat("label-lesion_mask"),
            anat("space-MNI152NLin2009aSym_label-lesion_mask", top=MANUAL),
            anat("space-orig_label-lesion_mask", top=MANUAL),
        ],
        (0, 1),
    ),
    "the mask of the original space": (
        [
            anat("T1w"),
            anat("space-MNI152Lin_label-L_mask", top=MANUAL),
            anat("space-orig_label-L_mask", top=MANUAL),
        ],
        (0, 2),
    ),
    "the mask in the scan's own space": (
        [
            anat("T1w"),
            anat("space-T2w_label-L_mask", top=MANUAL),
            anat("space-T1w_label-L_mask", top=MANUAL),
        ],
        (0, 2),
    ),
    "the mask of a scan in a standard space": (
        [anat("space-MNI_T1w"), anat("label-L_mask"), anat("space-MNI_label-L_mask", top=MANUAL)],
        (0, 2),
    ),
    "run 2 before run 10": (
        [*(anat(f"run-{n}_T1w") for n in (10, 2, 11)), anat("label-L_mask")],
        (1, 3),
    ),
    "run 2 of two digits": (
        [anat("run-02_T1w"), anat("run-1_T1w"), anat("run-2_label-L_mask")],
        (0, 2),
    ),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_scan_and_mask_that_are_taken(tmp_path, kind):
    files, taken = TAKEN[kind]
    write_tree(tmp_path / "raw", files)
    table = listed(tmp_path, "bids")
    assert table["status"].tolist() == ["ok"], table["reason"].item()
    assert paths(table, tmp_path / "raw", "t1") == [files[taken[0]]]
    assert paths(table, tmp_path / "raw", "seg") == [files[taken[1]]]


def test_without_masks_it_is_the_first_session(tmp_path):
    files = [anat("T1w", session=n) for n in (10, 2)]
    write_tree(tmp_path / "raw", [*files, anat("label-L_mask", session=10)])
    assert paths(listed(tmp_path, "bids", lesions=False), tmp_path / "raw", "t1") == [files[1]]


def test_a_mask_of_another_session_is_none(tmp_path):
    write_tree(tmp_path / "raw", [anat("T1w", session=1), anat("label-L_mask", session=2)])
    with pytest.raises(SettingsError, match="no lesion mask of this subject"):
        listed(tmp_path, "bids")


def test_what_is_passed_over_is_in_the_log(tmp_path, capsys):
    files, _ = TAKEN["the native mask beside others"]
    write_tree(tmp_path / "raw", files)
    listed(tmp_path, "bids")
    log = capsys.readouterr().out
    assert "space-MNI152NLin2009aSym" in log and "space-orig" in log
