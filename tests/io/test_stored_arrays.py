"""Arrays in a file are those of numpy, row by row, and broken files are told in a line."""

import os
import zipfile

import numpy as np
import pytest

from brainuad.io.errors import SettingsError
from brainuad.io.stored_arrays import open_arrays, write_array, write_rows

RNG = np.random.default_rng(0)
ARRAYS = {
    "images": RNG.random((5, 2, 3, 4), dtype=np.float32),
    "masks": RNG.random((5, 7)) < 0.5,
    "names": np.array(["a", "Ärger", "ccc", "d", "e"]),
    "affines": RNG.random((5, 4, 4)),
    "nothing": np.zeros((0, 3, 3), dtype=np.float32),
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, **ARRAYS)
    return path


@pytest.mark.parametrize("name", ARRAYS)
def test_whole_arrays_are_those_that_were_written(file, name):
    stored, expected = open_arrays(file, ARRAYS)[name], ARRAYS[name]
    whole = np.asarray(stored)
    assert (stored.shape, stored.ndim, len(stored)) == (expected.shape, expected.ndim, len(whole))
    assert stored.dtype == whole.dtype == expected.dtype
    assert np.array_equal(whole, expected)


@pytest.mark.parametrize(
    "key", [3, -1, np.int64(2), [4, 0, 4], [], slice(1, 3), (1, 0, 2, 3), (4, slice(None), 1)]
)
def test_rows_are_those_of_numpy(file, key):
    found = open_arrays(file, ["images"])["images"][key]
    expected = ARRAYS["images"][key]
    assert found.shape == expected.shape and found.dtype == expected.dtype
    assert np.array_equal(found, expected)


def test_iteration_ends_and_a_row_too_far_is_refused(file):
    stored = open_arrays(file, ["affines"])["affines"]
    assert np.array_equal(np.stack(list(stored)), ARRAYS["affines"])
    with pytest.raises(IndexError, match="5"):
        stored[5]


def test_what_is_read_may_be_changed(file):
    stored = open_arrays(file, ["images"])["images"]
    stored[0][:] = 7
    assert np.array_equal(stored[0], ARRAYS["images"][0])


def test_an_open_file_may_be_replaced(file, tmp_path):
    stored = open_arrays(file, ["images"])["images"]
    np.savez(tmp_path / "new.npz", images=ARRAYS["images"] + 1)
    os.replace(tmp_path / "new.npz", file)
    assert np.array_equal(stored[2], ARRAYS["images"][2])
    assert np.array_equal(open_arrays(file, ["images"])["images"][2], ARRAYS["images"][2] + 1)


def test_a_file_cut_short_is_told_wherever_it_is_cut(file):
    content = file.read_bytes()
    for length in range(0, len(content), 97):
        file.write_bytes(content[:length])
        with pytest.raises(SettingsError, match=r"arrays\.npz can't be read: .*; delete it"):
            open_arrays(file, ARRAYS)


def test_a_file_cut_short_while_it_is_read_is_told(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, images=RNG.random((4, 100_000)))
    stored = open_arrays(path, ["images"])["images"]
    os.truncate(path, path.stat().st_size // 2)
    assert stored[0].all()
    with pytest.raises(SettingsError, match=r"arrays\.npz was cut short"):
        stored[2]


def test_compressed_arrays_give_the_same_rows_in_any_order(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez_compressed(path, **ARRAYS)
    stored = open_arrays(path, ARRAYS)
    images = ARRAYS["images"]
    for row in (*range(len(images)), -1, 0, 2):
        assert np.array_equal(stored["images"][row], images[row])
    for name, array in ARRAYS.items():
        assert np.array_equal(np.asarray(stored[name]), array)


def test_a_damaged_compressed_array_is_told(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez_compressed(path, images=RNG.integers(0, 9, (4, 10_000)))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)
    path.write_bytes(content)
    stored = open_arrays(path, ["images"])["images"]
    with pytest.raises(SettingsError, match=r"arrays\.npz (can't be read|was cut short)"):
        np.asarray(stored)


def test_arrays_that_have_no_rows_to_read_are_refused(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, images=np.array([{"a": 1}], dtype=object))
    with pytest.raises(SettingsError, match=r"images\.npy holds objects"):
        open_arrays(path, ["images"])
    np.savez(path, images=np.asfortranarray(ARRAYS["images"]))
    with pytest.raises(SettingsError, match=r"images\.npy is stored column by column"):
        open_arrays(path, ["images"])
    with pytest.raises(SettingsError, match="holds no array lesions"):
        open_arrays(path, ["lesions"])


def test_a_header_that_promises_other_bytes_is_refused(tmp_path, file):
    path = tmp_path / "wrong.npz"
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(path, "w") as wrong:
        wrong.writestr("affines.npy", whole.read("affines.npy")[:-8])
    with pytest.raises(SettingsError, match=r"affines\.npy should hold 640 bytes"):
        open_arrays(path, ["affines"])


def test_rows_that_are_written_as_they_come_are_the_bytes_of_numpy(tmp_path, file):
    path = tmp_path / "rows.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in ARRAYS.items():
            if name == "names":
                write_array(archive, name, array)
            else:
                write_rows(archive, name, iter(array), shape=array.shape, dtype=array.dtype)
    assert path.read_bytes() == file.read_bytes()


def test_rows_are_written_as_the_type_that_is_asked_for(tmp_path):
    rows = [np.float64([1, 2]), np.arange(6.0).reshape(3, 2).T[0, ::2]]
    with zipfile.ZipFile(tmp_path / "rows.npz", "w") as archive:
        write_rows(archive, "rows", rows, shape=(2, 2), dtype=np.dtype(np.float16))
    stored = open_arrays(tmp_path / "rows.npz", ["rows"])["rows"]
    assert stored.dtype == np.float16
    assert np.asarray(stored).tolist() == [[1, 2], [0, 4]]


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(2, 3)], "1 rows"),
        ([(2, 3)] * 3, "3 rows"),
        ([(2, 3), (3, 2)], r"row 1 has shape \(3, 2\)"),
    ],
)
def test_rows_that_do_not_fit_are_refused(tmp_path, shapes, message):
    rows = [np.zeros(shape, np.float32) for shape in shapes]
    with (
        zipfile.ZipFile(tmp_path / "rows.npz", "w") as archive,
        pytest.raises(ValueError, match=f"images: {message}"),
    ):
        write_rows(archive, "images", rows, shape=(2, 2, 3), dtype=np.dtype(np.float32))
