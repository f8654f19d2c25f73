"""Names of subjects and of files: which can be used, and what is said of the others."""

import os
import re

import pytest
from test_layouts import listed
from test_layouts_own import write_tree

from brainuad.io.errors import SettingsError

NO_NAMES = {
    "a file of the workflow": ("left_out.tsv", "has the name of a file of the workflow"),
    "a line break": ("a\nb", "cannot name a folder"),
    "Latin-1": (os.fsdecode(b"M\xfcller"), "cannot name a folder"),
    "a wildcard": ("{subject_1}", "contains {subject_1}, which Snakemake takes for a wildcard"),
}


@pytest.mark.parametrize("kind", NO_NAMES)
def test_a_subject_without_a_usable_name_is_left_out(tmp_path, kind):
    name, reason = NO_NAMES[kind]
    files = {"t1": "{subject}/T1.nii.gz"}
    write_tree(tmp_path / "raw", [f"{name}/T1.nii.gz", "Müller/T1.nii.gz", "NA/T1.nii.gz"])
    table = listed(tmp_path, "files", files=files, lesions=False)
    used = table["status"] == "ok"
    assert sorted(table["subject"][used]) == ["Müller", "NA"]
    assert len(table) == 3 and reason in table["reason"][~used].item()


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("T1.nii.gz", "has no {subject}"),
        ("{session}/T1.nii.gz", "has no {subject}"),
        ("{subject}/{run}/T1.nii.gz", "holds {run}, but only {subject} and {session}"),
        ("{subject}/*/T1.nii.gz", "holds *, but only {subject} and {session}"),
        ("{subject}/T?.nii.gz", "holds ?, but only {subject} and {session}"),
        ("../{subject}/T1.nii.gz", "leaves the root"),
        ("a/../{subject}/T1.nii.gz", "leaves the root"),
        ("/data/{subject}/T1.nii.gz", "leaves the root"),
        ("~/data/{subject}/T1.nii.gz", "leaves the root"),
        ("{subject}/T1.mgz", "does not end in .nii.gz or .nii"),
    ],
)
def test_a_pattern_that_fits_no_file_says_why(tmp_path, pattern, reason):
    write_tree(tmp_path / "raw", ["s1/T1.nii.gz"])
    with pytest.raises(SettingsError, match=re.escape(reason)):
        listed(tmp_path, "files", files={"t1": pattern}, lesions=False)


@pytest.mark.parametrize("pattern", ["./{subject}//T1.nii.gz", "{subject}/./T1.nii"])
def test_a_pattern_may_have_more_slashes(tmp_path, pattern):
    write_tree(tmp_path / "raw", ["s1/T1.nii.gz"])
    table = listed(tmp_path, "files", files={"t1": pattern}, lesions=False)
    assert table["subject"].tolist() == ["s1"]


def test_a_subject_may_be_called_na_in_a_table(tmp_path):
    write_tree(tmp_path / "raw", [f"{number}.nii.gz" for number in range(3)])
    rows = ["subject\tt1\tseg\tage\tsite", "NA\t0.nii.gz\tNA\t61\tn/a", "None\t1.nii.gz\t\tNA\tA"]
    rows += ["007\t2.nii.gz\tn/a\t\tnull"]
    (tmp_path / "raw" / "scans.tsv").write_text("\n".join(rows), encoding="utf-8")
    table = listed(tmp_path, "table", table="scans.tsv", lesions=False)
    assert table["subject"].tolist() == ["007", "NA", "None"]
    assert (table["status"] == "ok").all() and table["seg"].isna().all()
    assert table["age"].tolist()[1] == 61 and table["age"].isna().sum() == 2
    assert table["site"].fillna("").tolist() == ["", "", "A"]
