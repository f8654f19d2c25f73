"""Arrays in an npz, read and written row by row, so that memory holds a volume, not a cohort."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from brainuad.io.errors import SettingsError

# A member of a zip begins with 30 bytes, of which the last four are the lengths of two texts.
LOCAL_HEADER = struct.Struct("<26x2H")

READERS_OF_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class StoredArray:
    """An array [N, ...] that stays in its file until rows of it are read.

    `stored[3]` reads a row, `stored[[3, 0]]` those rows and `np.asarray(stored)` all of them, as
    new writable arrays: nothing is kept. The rows are read, not memory-mapped: the pages of a
    mapped file count as memory of the process, and reading past the end of a truncated one kills
    it. The file stays open, so that it may be replaced meanwhile. In a compressed array, going back
    to an earlier row reads everything before it again.

    path   of the file, for messages
    file   the open file, or the stream that decompresses it
    start  where the values begin in it
    """

    def __init__(
        self, path: Path, file: IO[bytes], start: int, shape: tuple[int, ...], dtype: np.dtype
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self._path = path
        self._file = file
        self._start = start

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: int | Sequence[int] | slice | tuple[int, ...]) -> np.ndarray:
        if isinstance(key, tuple):
            return self[int(key[0])][key[1:]]
        rows = np.arange(len(self))[key]
        if rows.ndim == 0:
            return self._read_into(np.empty(self.shape[1:], self.dtype), int(rows))
        chosen = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for number, row in enumerate(rows.tolist()):
            self._read_into(chosen[number : number + 1], row)
        return chosen

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("an array in a file can't be had without a copy")
        whole = self._read_into(np.empty(self.shape, self.dtype), 0)
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def _read_into(self, target: np.ndarray, row: int) -> np.ndarray:
        """Fill a contiguous array from the start of a row on."""
        row_bytes = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
        try:
            self._file.seek(self._start + row * row_bytes)
            whole = self._file.readinto(target.data) == target.nbytes
            # At the end of a compressed array, this compares its checksum.
            self._file.read(1)
        except (EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise _unreadable(self._path, error) from error
        if not whole:
            raise SettingsError(f"{self._path} was cut short while it was read; run again")
        return target


def open_arrays(path: Path, names: Iterable[str]) -> dict[str, StoredArray]:
    """The arrays of these names in a file that `np.savez` or `np.savez_compressed` wrote.

    Raises SettingsError for a file that is truncated or lacks an array, and for an array that holds
    objects (pickles are never read) or is stored in Fortran order.
    """
    file = path.open("rb")
    try:
        with zipfile.ZipFile(file) as archive:
            members = {member.filename: member for member in archive.infolist()}
        arrays = {}
        for name in names:
            if f"{name}.npy" not in members:
                raise ValueError(f"it holds no array {name}")
            arrays[name] = _stored_array(path, file, members[f"{name}.npy"])
    except (ValueError, struct.error, zipfile.BadZipFile) as error:
        file.close()
        raise _unreadable(path, error) from error
    return arrays


def write_array(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    """Add an array to an npz, as `np.savez` does."""
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array(member, array, allow_pickle=False)


def write_rows(
    archive: zipfile.ZipFile,
    name: str,
    rows: Iterable[np.ndarray],
    *,
    shape: tuple[int, ...],
    dtype: np.dtype,
) -> None:
    """Add an array of a shape [N, ...] to an npz, with one of its rows in memory at a time.

    The bytes are those of `write_array`, compressed as the archive says. Raises ValueError for a
    row of another shape, and for more or fewer than N.
    """
    header = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    count = 0
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(member, header)
        for row in rows:
            if row.shape != shape[1:]:
                raise ValueError(f"{name}: row {count} has shape {row.shape}, not {shape[1:]}")
            member.write(np.ascontiguousarray(row, dtype).data)
            count += 1
    if count != shape[0]:
        raise ValueError(f"{name}: {count} rows for an array of shape {shape}")


def _stored_array(path: Path, file: io.BufferedReader, member: zipfile.ZipInfo) -> StoredArray:
    """The array of a member of the zip, after its header was read; ValueError if it is damaged."""
    if member.compress_type == zipfile.ZIP_STORED:
        file.seek(member.header_offset)
        texts = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
        begin = member.header_offset + LOCAL_HEADER.size + sum(texts)
        file.seek(begin)
        stream: IO[bytes] = file
    else:
        begin = 0
        stream = zipfile.ZipFile(file).open(member)  # noqa: SIM115
    version = np.lib.format.read_magic(stream)
    if version not in READERS_OF_HEADERS:
        raise ValueError(f"{member.filename} has a header of version {version}")
    shape, column_by_column, dtype = READERS_OF_HEADERS[version](stream)
    if dtype.hasobject:
        raise ValueError(f"{member.filename} holds objects")
    if column_by_column:
        raise ValueError(f"{member.filename} is stored column by column")
    start = stream.tell()
    values = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if start - begin + values != member.file_size:
        raise ValueError(f"{member.filename} should hold {values} bytes of values, and does not")
    return StoredArray(path, stream, start, shape, dtype)


def _unreadable(path: Path, error: Exception) -> SettingsError:
    return SettingsError(
        f"{path} can't be read: {error}; delete it and run again, then it is made again"
    )
