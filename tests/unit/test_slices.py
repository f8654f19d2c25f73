"""Packed volumes and tables are read as they were written."""

import numpy as np
import pandas as pd
import pytest

from brainuad.slices import SliceStack, read_slices, write_slices
from brainuad.tables import read_table, write_table


def stack(subjects=("a", "b", "c")) -> SliceStack:
    rng = np.random.default_rng(0)
    count = len(subjects)
    return SliceStack(
        images=rng.random((count, 2, 4, 5), dtype=np.float32),
        brain_masks=rng.random((count, 2, 4, 5)) < 0.5,
        lesions=rng.integers(0, 3, (count, 2, 4, 5)).astype(np.uint8),
        subjects=np.array(subjects),
        affines=rng.random((count, 4, 4)),
    )


def test_written_stack_is_read_back(tmp_path):
    written = stack()
    for name in ("first.npz", "second.npz"):
        write_slices(written, tmp_path / name)
    read = read_slices(tmp_path / "first.npz")
    for name in ("images", "brain_masks", "lesions", "subjects", "affines"):
        assert np.array_equal(getattr(read, name), getattr(written, name))
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


def test_select_keeps_the_order_asked_for():
    whole = stack()
    chosen = whole.select(["c", "missing", "a"])
    assert chosen.subjects.tolist() == ["c", "a"]
    assert np.array_equal(chosen.images, whole.images[[2, 0]])


def test_repeated_subject_is_refused():
    with pytest.raises(ValueError, match="twice"):
        stack(subjects=("a", "a"))


def test_arrays_of_other_shapes_are_refused():
    whole = stack()
    with pytest.raises(ValueError, match="lesions has shape"):
        SliceStack(
            whole.images, whole.brain_masks, whole.lesions[:, :1], whole.subjects, whole.affines
        )


def test_table_keeps_names_and_digits(tmp_path):
    table = pd.DataFrame({"subject": ["007", "NA"], "value": [0.1 + 0.2, np.nan]})
    write_table(table, tmp_path / "table.tsv")
    read = read_table(tmp_path / "table.tsv")
    assert read["subject"].tolist() == ["007", "NA"]
    assert read["value"][0] == 0.1 + 0.2
    assert np.isnan(read["value"][1])
