"""The released lists: names, repeated rows, leaks and overlaps, each named and dealt with."""

from pathlib import Path

import pandas as pd
import pytest

import split_folds
from brainuad.datasets.released_splits import read_list, released_split, subject_of
from brainuad.io.errors import SettingsError
from brainuad.io.tables import read_table, write_table
from brainuad.report.tables.splits import counts

HEADER = ',img_name,"SEX_ID (1=m, 2=f)",HEIGHT,age,label,img_path,mask_path,seg_path,Agegroup'


def name_of(number):
    return f"IXI{number:03d}-HH-{1400 + number}"


def write_list(path, numbers, header=HEADER):
    """A list in the released columns; a repeated subject differs in its other cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{place},{name_of(number)}_t1.nii.gz,1,{170 + place},38.9,0,"
        f"/Train/ixi/t1/{name_of(number)}_t1.nii.gz,/Train/ixi/mask/{name_of(number)}_mask.nii.gz,,1"
        for place, number in enumerate(numbers)
    ]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


@pytest.fixture
def lists(tmp_path):
    """Fold 0: 3 repeated rows, 7 in train and test, 5 in train and validation, 6 in all three."""
    folder = tmp_path / "splits"
    write_list(folder / "IXI_train_fold0.csv", [1, 2, 2, 2, 3, 5, 6, 7, 90])
    write_list(folder / "IXI_val_fold0.csv", [4, 5, 6])
    write_list(folder / "IXI_test.csv", [6, 7, 8, 8])
    write_list(folder / "IXI_train_fold1.csv", [1, 2, 3, 4])
    write_list(folder / "IXI_val_fold1.csv", [5, 9])
    return sorted(folder.glob("IXI_*.csv"))


@pytest.fixture
def subjects():
    """All subjects of the lists but 90; 3 has one modality, 9 no usable scan, 10 is in no list."""
    status = {3: "partial", 9: "left_out"}
    return pd.DataFrame(
        {
            "subject": [name_of(number) for number in range(1, 11)],
            "session": "",
            "status": [status.get(number, "ok") for number in range(1, 11)],
        }
    )


def split_of(subjects, lists, *, fold=0, healthy=True, keep_leaks=False, name="IXI"):
    split, problems = released_split(
        subjects, lists=lists, name=name, fold=fold, healthy=healthy, keep_leaks=keep_leaks
    )
    return rows_of(split.drop(columns="session")), rows_of(problems)


def rows_of(frame):
    """The rows as tuples, IXI002-HH-1402 written as 2."""
    shorter = {name_of(number): number for number in range(100)}
    return [tuple(shorter.get(cell, cell) for cell in row) for row in frame.itertuples(index=False)]


@pytest.mark.parametrize(
    ("image_name", "subject"),
    [
        ("IXI105-HH-1471_t1.nii.gz", "IXI105-HH-1471"),
        ("IXI105-HH-1471_t2.nii.gz", "IXI105-HH-1471"),
        ("IXI105-HH-1471_t1.nii", "IXI105-HH-1471"),
        (" BraTS2021_01122 ", "BraTS2021_01122"),
        ("BraTS2021_01122_t2", "BraTS2021_01122"),
        ("patient29", "patient29"),
        ("sub-r031s006_ses-1_space-MNI152NLin2009aSym_t1.nii.gz", "sub-r031s006"),
        ("sub-r031s006_ses-1_space-MNI152NLin2009aSym", "sub-r031s006"),
        ("Utrecht_0_t1.nii.gz", "Utrecht_0"),
        ("Utrecht_0", "Utrecht_0"),
    ],
)
def test_names_become_those_of_the_raw_layouts(image_name, subject):
    assert subject_of(image_name) == subject


def test_rows_are_taken_once_and_leaks_from_the_weaker_side(subjects, lists):
    split, problems = split_of(subjects, lists)
    assert split == [
        (1, "train"),
        (2, "train"),
        (3, "train"),
        (4, "validation"),
        (5, "validation"),
        (6, "test"),
        (7, "test"),
        (8, "test"),
    ]
    assert sorted(problems, key=str) == sorted(
        [
            ("repeated row", 8, "test", "dropped"),
            ("repeated row", 2, "train", "dropped"),
            ("repeated row", 2, "train", "dropped"),
            ("in test and validation", 6, "validation", "dropped"),
            ("in test and train", 6, "train", "dropped"),
            ("in test and train", 7, "train", "dropped"),
            ("in validation and train", 5, "train", "dropped"),
            ("no usable scan", 90, "train", "dropped"),
            ("in validation of other folds", 5, "validation", "reported"),
            ("in no list", 10, "", "dropped"),
        ],
        key=str,
    )


def test_leaks_can_be_kept_and_are_still_named(subjects, lists):
    split, problems = split_of(subjects, lists, keep_leaks=True)
    assert [row for row in split if row[0] in (5, 6, 7)] == [
        (5, "train"),
        (5, "validation"),
        (6, "test"),
        (6, "train"),
        (6, "validation"),
        (7, "test"),
        (7, "train"),
    ]
    assert len(split) == len(set(split)), "a repeated row is dropped all the same"
    assert [row[:3] for row in problems if row[3] == "kept"] == [
        ("in test and validation", 6, "validation"),
        ("in validation and train", 5, "train"),
        ("in test and train", 6, "train"),
        ("in test and train", 7, "train"),
    ]


def test_a_subject_left_out_has_no_usable_scan(subjects, lists):
    split, problems = split_of(subjects, lists, fold=1)
    assert (9, "validation") not in split
    assert ("no usable scan", 9, "validation", "dropped") in problems
    assert (5, "validation") in split


def test_order_of_rows_changes_nothing(tmp_path, subjects, lists):
    expected = split_of(subjects, lists)[0]
    write_list(tmp_path / "splits" / "IXI_train_fold0.csv", [90, 7, 2, 6, 5, 3, 2, 2, 1])
    assert split_of(subjects, lists)[0] == expected


def test_lesion_lists_have_no_folds(tmp_path):
    for part, names in (("val", "patient29\npatient15"), ("test", "patient26\npatient13")):
        text = "img_name\n" + names + "\n"
        (tmp_path / f"MSLUB_{part}.csv").write_text(text, encoding="utf-8")
    patients = [f"patient{number}" for number in (13, 15, 26, 29)]
    table = pd.DataFrame({"subject": patients, "session": "", "status": "ok"})
    files = sorted(tmp_path.glob("*.csv"))
    for fold in (0, 4):
        split, problems = split_of(table, files, name="MSLUB", fold=fold, healthy=False)
        assert split == [
            ("patient13", "test"),
            ("patient15", "validation"),
            ("patient26", "test"),
            ("patient29", "validation"),
        ]
        assert problems == []


def test_lists_in_the_real_numbers(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "workflow"))
    import raw_trees

    raw_trees.write_released_lists(tmp_path / "splits")
    for (dataset, fold), expected in raw_trees.RELEASED.items():
        names, without_t2 = raw_trees.archive_subjects(dataset)
        status = ["partial" if name in without_t2 else "ok" for name in names]
        name = raw_trees.PARTS[dataset][2]
        split, problems = released_split(
            pd.DataFrame({"subject": names, "session": "", "status": status}),
            lists=sorted((tmp_path / "splits").glob(f"{name}_*.csv")),
            name=name,
            fold=fold,
            healthy=dataset == "ixi",
            keep_leaks=False,
        )
        assert split["subject"].is_unique
        assert counts(split, problems) == expected | {"leaks_kept": 0}, (dataset, fold)


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path):
    path = tmp_path / "IXI_test.csv"
    path.write_bytes(b"\xef\xbb\xbfimg_name\r\nIXI001-HH-1401_t1.nii.gz\r\n")
    assert read_list(path) == [name_of(1)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is not a table that can be read"),
        (HEADER + "\n", "no rows"),
        ("name;age\nIXI001;30\n", "no column img_name; it has name, age"),
        (",img_name\n0,IXI001-HH-1401_t1.nii.gz\n1,\n", "row 3 has no img_name"),
        ('img_name,b\n"IXI001', "is not a table that can be read"),
        ("img_name,age\nIXI001,30\nIXI002,31,5\n", "row 3 has 3 cells, the header 2"),
    ],
)
def test_a_list_that_cannot_be_read_is_named(tmp_path, subjects, lists, content, reason):
    (tmp_path / "splits" / "IXI_test.csv").write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=rf"IXI_test\.csv: .*{reason}") as caught:
        split_of(subjects, lists)
    assert "\n" not in str(caught.value)


def test_lists_that_are_missing_doubled_or_of_another_data_set(tmp_path, subjects, lists):
    with pytest.raises(SettingsError, match=r"no IXI_train_fold2\.csv, only IXI_test\.csv"):
        split_of(subjects, lists, fold=2)
    with pytest.raises(SettingsError, match=r"no MSLUB_val\.csv"):
        split_of(subjects, lists, name="MSLUB", healthy=False)
    write_list(tmp_path / "Data" / "splits" / "IXI_test.csv", [8])
    with pytest.raises(SettingsError, match=r"IXI_test\.csv exists twice"):
        split_of(subjects, [*lists, tmp_path / "Data" / "splits" / "IXI_test.csv"])
    others = subjects.assign(subject=[f"sub-{number}" for number in range(10)])
    with pytest.raises(SettingsError, match=r"IXI_test\.csv: none of its subjects can be used"):
        split_of(others, lists)


def test_a_list_that_only_repeats_another_is_said_to(tmp_path, subjects, lists):
    write_list(tmp_path / "splits" / "IXI_val_fold0.csv", [6, 7])
    with pytest.raises(SettingsError, match=r"IXI_val_fold0\.csv: each .* set keep_leaks: true"):
        split_of(subjects, lists)
    assert (7, "validation") in split_of(subjects, lists, keep_leaks=True)[0]


OPTIONS = {
    "fold": 0,
    "lesion_masks": True,
    "validation": 2,
    "test": 2,
    "stratify": None,
    "seed": 0,
}


def write_split(folder, subjects, lists, **options):
    write_table(subjects, folder / "subjects.tsv")
    split_folds.main(
        subjects=folder / "subjects.tsv",
        lists=lists,
        output=folder / "split.tsv",
        problems=folder / "problems.tsv",
        **(OPTIONS | options),
    )
    split = read_table(folder / "split.tsv").drop(columns="session")
    return split, read_table(folder / "problems.tsv")


def test_script_takes_the_lists_where_they_are_asked_for(tmp_path, subjects, lists):
    splits = {"folder": "anywhere", "name": "IXI", "keep_leaks": False}
    split, problems = write_split(tmp_path, subjects, lists, healthy=True, splits=splits)
    assert rows_of(split) == split_of(subjects, lists)[0]
    assert list(problems) == ["problem", "subject", "partition", "action"]
    assert len(problems) == 10
    leaky = splits | {"keep_leaks": True}
    leaking, problems = write_split(tmp_path, subjects, lists, healthy=True, splits=leaky)
    assert rows_of(leaking) == split_of(subjects, lists, keep_leaks=True)[0] != rows_of(split)
    assert problems["action"].tolist().count("kept") == 4


def test_script_draws_otherwise_and_finds_nothing(tmp_path, subjects, lists):
    split, problems = write_split(tmp_path, subjects, lists, healthy=True, splits=None)
    assert split["partition"].value_counts().to_dict() == {"train": 5, "validation": 2, "test": 2}
    assert list(problems) == ["problem", "subject", "partition", "action"]
    assert problems.empty


def test_script_leaves_all_patients_without_masks_for_test(tmp_path, subjects, lists):
    options = {"healthy": False, "lesion_masks": False, "validation": 0, "test": None}
    split, problems = write_split(tmp_path, subjects, [], splits=None, **options)
    assert split["partition"].tolist() == ["test"] * 9
    assert problems.empty
