"""Packed volumes and tables are read as they were written."""

import numpy as np
import pandas as pd
import pytest

from brainuad.images.slices import SliceStack, read_slices, write_slices
from brainuad.io.tables import read_table, write_table

ARRAYS = (
    *("images", "brain_masks", "lesions", "subjects", "affines"),
    *("native_voxel_ml", "sessions"),
)


def stack(subjects=("a", "b", "c")) -> SliceStack:
    rng = np.random.default_rng(0)
    count = len(subjects)
    return SliceStack(
        images=rng.random((count, 2, 4, 5), dtype=np.float32),
        brain_masks=rng.random((count, 2, 4, 5)) < 0.5,
        lesions=rng.integers(0, 3, (count, 2, 4, 5)).astype(np.uint8),
        subjects=np.array(subjects),
        affines=rng.random((count, 4, 4)),
        native_voxel_ml=rng.random(count),
    )


def test_written_stack_is_read_back(tmp_path):
    written = stack()
    for name in ("first.npz", "second.npz"):
        write_slices(written, tmp_path / name)
    read = read_slices(tmp_path / "first.npz")
    for name in ARRAYS:
        assert np.array_equal(getattr(read, name), getattr(written, name))
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


def test_select_keeps_the_order_asked_for():
    whole = stack()
    chosen = whole.select(["c", "missing", "a"])
    assert chosen.subjects.tolist() == ["c", "a"]
    assert np.array_equal(chosen.images, whole.images[[2, 0]])


def test_selected_volumes_of_a_file_are_copies_in_memory(tmp_path):
    written = stack()
    write_slices(written, tmp_path / "stack.npz")
    chosen = read_slices(tmp_path / "stack.npz").select(["c", "a"])
    for name in ARRAYS:
        assert np.array_equal(getattr(chosen, name), getattr(written, name)[[2, 0]])
    chosen.images[:] = 0
    assert np.array_equal(read_slices(tmp_path / "stack.npz").images, written.images)


def test_scans_are_those_asked_for_and_read_when_they_are(tmp_path):
    written = stack()
    write_slices(written, tmp_path / "stack.npz")
    scans = read_slices(tmp_path / "stack.npz").scans(["c", "missing", "a"])
    assert [scan.subject for scan in scans] == ["c", "a"]
    for scan, row in zip(scans, (2, 0), strict=True):
        for name in ("image", "brain_mask", "lesions", "affine"):
            whole = getattr(written, name if name == "lesions" else f"{name}s")
            assert np.array_equal(getattr(scan, name), whole[row])
        assert scan.voxel_ml == written.native_voxel_ml[row]
    # What is changed is a copy.
    scans[0].image[:] = 0
    assert np.array_equal(scans[0].image, written.images[2])


def test_a_voxel_has_the_size_of_the_scan_where_it_is_known(tmp_path):
    volumes = np.zeros((3, 1, 2, 2))
    arrays = [volumes, volumes > 0, volumes.astype(np.uint8), np.array(["a", "b", "c"])]
    affines = np.tile(np.diag([-2.0, 2, 2.5, 1]), (3, 1, 1))
    some = SliceStack(*arrays, affines, np.array([0.006, np.nan, 0.02]))
    write_slices(some.select(["c", "b", "a"]), tmp_path / "some.npz")
    some = read_slices(tmp_path / "some.npz")
    assert [some.has_native_size(row) for row in range(3)] == [True, False, True]
    assert [some.voxel_ml(row) for row in range(3)] == pytest.approx([0.02, 0.01, 0.006])
    unknown = SliceStack(*arrays, affines)
    assert not unknown.has_native_size(0) and unknown.voxel_ml(0) == pytest.approx(0.01)
    with pytest.raises(ValueError, match="as many volumes of a voxel"):
        SliceStack(*arrays, affines, np.ones(2))


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
