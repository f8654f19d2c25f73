"""Subjects with several sessions: patterns, tables, ages at visits, copies, splits."""

import shutil

import pandas as pd
import pytest
from odd_scans import HEAD, OTHER_HEAD, stored
from test_layouts import listed
from test_layouts_own import paths, write_tree

from brainuad.datasets.copies import leave_out_copies
from brainuad.datasets.partitions import scans_of
from brainuad.datasets.released_splits import released_split
from brainuad.datasets.splits import all_for_test, split_healthy, split_lesions
from brainuad.io.errors import SettingsError
from brainuad.io.scan_names import scan_name
from brainuad.io.tables import read_table, write_table


def test_scans_are_named_by_subject_and_session():
    assert scan_name("sub-01", "2") == "sub-01_ses-2"
    assert scan_name("IXI002-Guys-0828") == "IXI002-Guys-0828"


def sessions_of(table):
    return list(zip(table["subject"], table["session"], strict=True))


def test_patterns_with_sessions(tmp_path):
    files = [f"p1/ses-{n}/T1.nii.gz" for n in (10, 2)] + ["p2/ses-1/T1.nii.gz"]
    masks = ["masks/p1_2.nii.gz", "masks/p2_1.nii.gz"]
    write_tree(tmp_path / "raw", files)
    write_tree(tmp_path / "raw", [mask.replace("masks", "seg") for mask in masks])
    patterns = {"t1": "{subject}/{session}/T1.nii.gz", "seg": "seg/{subject}_{session}.nii.gz"}
    table = listed(tmp_path, "files", files=patterns)
    assert sessions_of(table) == [("p1", "2"), ("p1", "10"), ("p2", "1")]
    assert paths(table, tmp_path / "raw", "t1") == [files[1], files[0], files[2]]
    assert table["status"].tolist() == ["ok", "left_out", "ok"]


def test_a_file_of_no_session_is_that_of_the_only_one(tmp_path):
    write_tree(tmp_path / "raw", ["p1/1/T1.nii", "p1/2/T1.nii", "p2/1/T1.nii"])
    write_tree(tmp_path / "raw", ["p1/seg.nii", "p2/seg.nii"])
    patterns = {"t1": "{subject}/{session}/T1.nii", "seg": "{subject}/seg.nii"}
    table = listed(tmp_path, "files", files=patterns)
    assert table["status"].tolist() == ["left_out", "left_out", "ok"]
    assert "p1/seg names no session, and p1 has several" in table["reason"].iloc[0]
    assert paths(table, tmp_path / "raw", "seg")[2] == "p2/seg.nii"


def write_rows(folder, *rows, files):
    write_tree(folder / "raw", files)
    text = "".join(f"{row}\n" for row in rows)
    (folder / "raw" / "scans.csv").write_text(text, encoding="utf-8")


def test_table_with_sessions(tmp_path):
    write_rows(
        tmp_path,
        *("subject,session_id,t1,age", "2,ses-1,a.nii,30", "1,10,b.nii,44", "1,2.0,c.nii,41"),
        *("1,,d.nii,", "3,1,e.nii,", "3,1,f.nii,"),
        files=[f"{name}.nii" for name in "abcdef"],
    )
    table = listed(tmp_path, "table", table="scans.csv", lesions=False)
    expected = [("1", ""), ("1", "2"), ("1", "10"), ("2", "1"), ("3", "1")]
    assert sessions_of(table) == expected
    assert table["age"].tolist()[1:4] == [41, 44, 30]
    assert table["status"].tolist() == ["ok"] * 4 + ["left_out"]
    assert "more than one row for session 1 of this subject" in table["reason"].iloc[4]


def test_a_session_that_can_name_no_folder_is_one_line(tmp_path):
    write_rows(tmp_path, "subject,session,t1", "1,2019/03,a.nii", files=["a.nii"])
    with pytest.raises(SettingsError, match="row 2: the subject '1_ses-2019/03' cannot name"):
        listed(tmp_path, "table", table="scans.csv", lesions=False)


PEOPLE = {
    # By visit; of the sex the first row alone tells.
    "visits": (
        "participant_id,session_id,age,sex\nsub-1,ses-01,40,f\nsub-1,ses-02,43,\nsub-2,ses-1,50,m\n",
        {("sub-1", "1"): (40, "f"), ("sub-1", "2"): (43, "f"), ("sub-2", "1"): (50, "m")},
        [],
    ),
    "a visit without a row": (
        "id,visit,age,sex\n1,1,40,f\n2,1,50,m\n",
        {("sub-1", "1"): (40, "f"), ("sub-1", "2"): (None, "f"), ("sub-2", "1"): (50, "m")},
        ["has no row for 1 of the sessions (sub-1_ses-2)"],
    ),
    "subjects alone": (
        "id,age,sex\n1,40,f\n2,50,m\n",
        {("sub-1", "1"): (40, "f"), ("sub-1", "2"): (40, "f"), ("sub-2", "1"): (50, "m")},
        [],
    ),
}


@pytest.mark.parametrize("kind", PEOPLE)
def test_ages_are_those_of_the_visit(tmp_path, kind):
    text, expected, remarks = PEOPLE[kind]
    scans = [f"sub-{n}/ses-{s}/anat/sub-{n}_ses-{s}_T1w.nii" for n, s in ((1, 1), (1, 2), (2, 1))]
    write_tree(tmp_path / "raw", scans)
    (tmp_path / "raw" / "people.csv").write_text(text)
    table = listed(tmp_path, "bids", lesions=False, demographics="people.csv")
    facts = table[["age", "sex"]].astype(object).where(table[["age", "sex"]].notna(), None)
    found = dict(zip(sessions_of(table), facts.itertuples(index=False, name=None), strict=True))
    assert found == expected
    said = read_table(tmp_path / "remarks.tsv")["remark"].tolist()
    assert len(said) == len(remarks)
    assert all(remark in line for remark, line in zip(remarks, said, strict=True))


def test_two_sessions_with_one_scan_and_two_people_with_one(tmp_path):
    root = tmp_path / "raw"
    heads = {"a/1": HEAD, "a/2": HEAD, "a/3": OTHER_HEAD, "b/1": OTHER_HEAD, "b/2": HEAD + 1}
    for place, head in heads.items():
        (root / place).mkdir(parents=True)
        stored(head, name="T1.nii.gz")(root / place)
    (root / "c/1").mkdir(parents=True)
    stored(HEAD + 2, name="T1.nii.gz")(root / "c/1")
    files = {"t1": "{subject}/{session}/T1.nii.gz"}
    table = listed(tmp_path, "files", files=files, lesions=False)
    # The second copy of a goes; b is a by another name, and so no part of b may be trained on.
    assert table["status"].tolist() == ["ok", "left_out", "ok", "left_out", "left_out", "ok"]
    assert "a/1/T1.nii.gz of a_ses-1, which is kept" in table["reason"].iloc[1]
    for reason in table["reason"].iloc[3:5]:
        assert "b/1/T1.nii.gz: holds the same voxels as" in reason and "of a_ses-3" in reason
    shutil.rmtree(root / "c")
    patients = pd.DataFrame(table[table["subject"] == "c"]).reset_index(drop=True)
    others = leave_out_copies(
        pd.concat([patients, patients.assign(session="2", t1_digest="0" * 16)], ignore_index=True),
        {"ixi": table[table["subject"] == "c"]},
    )
    assert others["status"].tolist() == ["left_out", "left_out"]
    assert "of c_ses-1 of ixi, which is kept" in others["reason"].iloc[1]


def people(count, *, visits=2):
    """Subjects with so many visits each; of the second visit one modality is missing."""
    rows = [
        (f"s{number:02}", str(visit), "ok" if visit != 2 else "partial", 20.0 + number + visit)
        for number in range(count)
        for visit in range(1, visits + 1)
    ]
    return pd.DataFrame(rows, columns=["subject", "session", "status", "age"])


@pytest.mark.parametrize("stratify", [None, "age"])
def test_splits_draw_subjects_and_keep_their_scans_together(stratify):
    table = people(20, visits=3)
    split = split_healthy(table, fold=1, validation=4, test=6, stratify=stratify, seed=3)
    assert len(split) == 60
    sides = split.groupby("subject")["partition"].agg(["nunique", "size", "first"])
    assert (sides["nunique"] == 1).all() and (sides["size"] == 3).all()
    counts = sides["first"].value_counts().to_dict()
    assert counts == {"train": 10, "test": 6, "validation": 4}
    # Nobody is drawn differently for having been scanned more often.
    once = table.drop_duplicates("subject").assign(session="")
    alone = split_healthy(once, fold=1, validation=4, test=6, stratify=stratify, seed=3)
    assert dict(zip(alone["subject"], alone["partition"], strict=True)) == sides["first"].to_dict()
    test = scans_of(split.to_dict("records"), "test")
    assert len(test) == 18 and test[:2] == [f"{test[0][:3]}_ses-1", f"{test[0][:3]}_ses-2"]


def test_lesion_sets_and_all_for_test_by_subject():
    table = people(7)
    split = split_lesions(table, validation=2, test=None, stratify=None, seed=0)
    assert split.groupby("subject")["partition"].nunique().tolist() == [1] * 7
    assert split["partition"].value_counts().to_dict() == {"test": 10, "validation": 4}
    assert len(all_for_test(table)) == 14
    # A visit that was left out takes no part, and neither does a subject without a whole visit.
    table.loc[1, "status"], table.loc[2, "status"] = "left_out", "left_out"
    split = split_lesions(table, validation=2, test=None, stratify=None, seed=0)
    assert split.groupby("subject").size().to_dict() == {"s00": 1} | {
        f"s{number:02}": 2 for number in range(2, 7)
    }


def test_released_lists_take_all_sessions_of_their_subjects(tmp_path):
    for part, names in (("val", ["s00"]), ("test", ["s01", "s02"])):
        write_table(pd.DataFrame({"img_name": names}), tmp_path / f"MS_{part}.csv")
    split, _ = released_split(
        people(3),
        lists=list(tmp_path.iterdir()),
        name="MS",
        fold=0,
        healthy=False,
        keep_leaks=False,
    )
    assert split["partition"].tolist() == ["validation"] * 2 + ["test"] * 4
    assert scans_of(split.to_dict("records"), "validation") == ["s00_ses-1", "s00_ses-2"]
