"""The table of splits: counts by hand, leaks by name."""

import pandas as pd
import pytest
from small_report import write_small_table

from brainuad.io.tables import read_table, write_table

PROBLEMS = ["problem", "subject", "partition", "action"]


def write_split(folder, name, *, sizes, problems=()):
    partitions = [side for side, size in sizes.items() for _ in range(size)]
    subjects = [f"s{number}" for number in range(len(partitions))]
    split, found = folder / f"{name}.tsv", folder / f"{name}_problems.tsv"
    write_table(pd.DataFrame({"subject": subjects, "session": "", "partition": partitions}), split)
    write_table(pd.DataFrame(problems, columns=PROBLEMS), found)
    return split, found


@pytest.fixture
def tabulated(tmp_path):
    """Two folds of released lists, one dropping and one keeping, and a drawn split."""
    found = [
        ("repeated row", "s1", "train", "dropped"),
        ("repeated row", "s1", "train", "dropped"),
        ("in test and train", "IXI<7>", "train", "dropped"),
        ("in test and train", "IXI8", "train", "dropped"),
        ("in validation and train", "IXI9", "train", "dropped"),
        ("no usable scan", "s4", "test", "dropped"),
        ("in validation of other folds", "s5", "validation", "reported"),
        ("in no list", "s6", "", "dropped"),
    ]
    kept = [("in test and train", "IXI8", "train", "kept")]
    sizes = {"train": 3, "validation": 2, "test": 1}
    pairs = [
        write_split(tmp_path, "fold0", sizes=sizes, problems=found),
        write_split(tmp_path, "fold1", sizes=sizes, problems=kept),
        write_split(tmp_path, "mine", sizes={"validation": 1, "test": 4}),
    ]
    return write_small_table(
        "splits",
        tmp_path,
        splits=[split for split, _ in pairs],
        problems=[problems for _, problems in pairs],
        datasets=["ixi", "ixi", "mine"],
        folds=[0, 1, 0],
        sources=["released lists in a & b", "released lists in a & b", "drawn with seed 2025"],
    )


def test_counts_by_hand(tabulated):
    table = read_table(tabulated["tsv"])
    assert table.columns.tolist() == [
        *("dataset", "fold", "source", "train", "validation", "test", "repeated_rows", "leaks"),
        *("leaks_kept", "validation_overlaps", "no_usable_scan", "in_no_list"),
    ]
    assert table.drop(columns="source").to_numpy().tolist() == [
        ["ixi", 0, 3, 2, 1, 2, 3, 0, 1, 1, 1],
        ["ixi", 1, 3, 2, 1, 0, 1, 1, 0, 0, 0],
        ["mine", 0, 0, 1, 4, 0, 0, 0, 0, 0, 0],
    ]
    assert table["source"].tolist()[1:] == ["released lists in a & b", "drawn with seed 2025"]


def test_page_says_which_splits_and_names_the_leaks(tabulated):
    page = tabulated["html"].read_text(encoding="utf-8")
    assert "<li>IXI: released lists in a &amp; b; subjects on two sides: 1 to 3 per fold" in page
    assert "per fold, dropped.</li>" in page
    assert "<li>mine: drawn with seed 2025.</li>" in page
    assert "IXI&lt;7&gt;, IXI8</td>" in page, "those of one fold and kind, in one cell"
    assert ">IXI9</td>" in page
    assert page.count(">kept</td>") == 1
    assert "No subject is in two partitions" not in page


def test_no_leaks_are_said_in_words(tmp_path):
    split, problems = write_split(tmp_path, "a", sizes={"train": 2, "validation": 1, "test": 1})
    write_small_table(
        "splits",
        tmp_path,
        splits=[split],
        problems=[problems],
        datasets=["ixi"],
        folds=[0],
        sources=["drawn with seed 1"],
    )
    page = (tmp_path / "splits.html").read_text(encoding="utf-8")
    assert "No subject is in two partitions of a fold." in page
    assert "<li>IXI: drawn with seed 1.</li>" in page
