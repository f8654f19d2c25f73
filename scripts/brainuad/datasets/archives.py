"""Unpack the archives of data sets: tar, zip, and files that openssl has encrypted."""

import bz2
import errno
import gzip
import io
import lzma
import posixpath
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from brainuad.datasets.archive_members import BUFFER, GIBIBYTE, Members
from brainuad.datasets.decryption import DecryptedStream, is_encrypted
from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.io.formats import what_pointer

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
COMPRESSIONS: dict[bytes, Callable[[BinaryIO], BinaryIO]] = {
    b"\x1f\x8b\x08": lambda stream: gzip.GzipFile(fileobj=stream),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
# What readers raise for damaged bytes, in addition to an OSError without a file name.
DAMAGES = (
    EOFError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def unpack(archive: Path, folder: Path, *, password: bytes | None) -> None:
    """Unpack an archive into an existing folder; its format is recognized by its content.

    Owners and modes are the user's own, not the archive's. The time of a file is the archive's, so
    that a file which is unpacked again is not newer; a time in the future becomes the present.
    Files that macOS adds are skipped, and files that exist already with the same bytes. `password`
    opens an encrypted tar (brainuad.datasets.decryption).

    Raises SettingsError, one line that names the archive, if it is missing, empty, damaged, cut
    short, not an archive, or encrypted with another password; if a member would be written outside
    the folder, has the path of another file that exists already, or is neither a file, nor a
    folder, nor a link to a file of the archive; and if the disk is too small.
    """
    archive = Path(archive)
    job.log(f"Unpacking {archive}")
    members = Members(archive, Path(folder))
    with _naming_errors(archive), archive.open("rb", buffering=BUFFER) as stream:
        if not stream.peek():
            raise SettingsError(f"{archive}: the file is empty; download it again")
        if pointer := what_pointer(archive, stream.peek()):
            raise SettingsError(f"{archive}: {pointer}")
        if stream.peek().startswith(ZIP_STARTS):
            _unpack_zip(stream, members)
        else:
            _unpack_tar(_opened(_decrypted(stream, archive, password), archive), members)
    if not members.count:
        raise SettingsError(f"{archive}: holds no file; download it again")
    job.log(
        f"{archive}: {members.count} files, {members.size / GIBIBYTE:.2f} GiB; "
        f"skipped {members.skipped} that macOS added"
    )


def extract_member(archive: Path, name: str, target: Path) -> None:
    """Write one file of a zip to `target`, whose folder exists.

    Raises SettingsError like `unpack`, or if the zip has no member of this name.
    """
    archive = Path(archive)
    with _naming_errors(archive), zipfile.ZipFile(archive) as content:
        if name not in content.namelist():
            raise SettingsError(f"{archive}: holds no {name}; correct the member in the config")
        info = content.getinfo(name)
        _check_zip_member(info, archive)
        members = Members(archive, Path(target).parent)
        members.check_room(info.file_size)
        with content.open(info) as source:
            members.write(PurePosixPath(Path(target).name), source, modified=_time_in_zip(info))


def _unpack_zip(stream: BinaryIO, members: Members) -> None:
    with zipfile.ZipFile(stream) as content:
        infos = content.infolist()
        members.check_room(sum(info.file_size for info in infos))
        for info in infos:
            path = members.place(info.filename)
            if path is None:
                continue
            _check_zip_member(info, members.archive)
            # Some zips from Windows mark a folder by a backslash.
            if info.is_dir() or info.filename.endswith("\\"):
                members.make_folder(path)
                continue
            with content.open(info) as source:
                members.write(path, source, modified=_time_in_zip(info))


def _time_in_zip(info: zipfile.ZipInfo) -> float:
    # A zip has local times without a time zone.
    return time.mktime((*info.date_time, 0, 0, -1))


def _check_zip_member(info: zipfile.ZipInfo, archive: Path) -> None:
    if info.flag_bits & 1:
        raise SettingsError(
            f"{archive}: is a zip with a password; unpack it yourself and set archives: []"
        )
    # The upper half is the Unix mode, or 0.
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _odd_member(archive, info.filename)


def _odd_member(archive: Path, name: str) -> SettingsError:
    return SettingsError(
        f"{archive}: its member {name!r} is a device, a pipe, or a link that is not allowed; "
        "download the archive from its publisher"
    )


class _StrictHeader(tarfile.TarInfo):
    """A header of a tar; `tarfile` would take a damaged or missing header for the regular end."""

    @classmethod
    def fromtarfile(cls, content: tarfile.TarFile) -> tarfile.TarInfo:
        try:
            return super().fromtarfile(content)
        except tarfile.EOFHeaderError:
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error


def _unpack_tar(stream: BinaryIO, members: Members) -> None:
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_StrictHeader) as content:
        for header in content:
            path = members.place(header.name)
            if path is None:
                continue
            if header.isdir():
                members.make_folder(path)
            elif header.issym():
                members.add_link(path, posixpath.join(path.parent, header.linkname))
            elif header.islnk():
                members.add_link(path, header.linkname)
            elif header.isreg():
                members.check_room(header.size)
                members.write(path, content.extractfile(header), modified=header.mtime)
            else:
                raise _odd_member(members.archive, header.name)
    # Checksum and padding are at the very end; reading them checks them.
    while stream.read(BUFFER):
        pass
    members.write_links()


def _opened(stream: io.BufferedReader, archive: Path) -> BinaryIO:
    """The tar in a stream, decompressed."""
    start = stream.peek()
    for magic, decompress in COMPRESSIONS.items():
        if start.startswith(magic):
            return decompress(stream)
    if not _is_tar(start):
        raise SettingsError(f"{archive}: is neither a tar nor a zip; check the name in archives")
    return stream


def _is_tar(start: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(start[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.EOFHeaderError:
        return True
    except tarfile.HeaderError:
        return False
    return True


def _decrypted(
    stream: io.BufferedReader, archive: Path, password: bytes | None
) -> io.BufferedReader:
    """The stream itself, or its decrypted content if it is encrypted."""
    if not is_encrypted(stream.peek()):
        return stream
    if password is None:
        raise SettingsError(
            f"{archive}: is encrypted; give the data set's password in the config, as "
            "{file: ...} or {environment: ...}"
        )
    plain = io.BufferedReader(DecryptedStream(stream, password=password), BUFFER)
    # ASSUME: an encrypted archive is a tar, as that of ATLAS; any other content means that the
    # password is wrong.
    if not plain.peek().startswith(tuple(COMPRESSIONS)) and not _is_tar(plain.peek()):
        raise SettingsError(
            f"{archive}: the password does not open it; check it, spaces and line breaks too"
        )
    return plain


@contextmanager
def _naming_errors(archive: Path) -> Iterator[None]:
    """Turn errors of the readers and of the disk into one line about the archive."""
    try:
        yield
    except SettingsError:
        raise
    except FileNotFoundError:
        if pointer := what_pointer(archive):
            raise SettingsError(f"{archive}: {pointer}") from None
        raise SettingsError(
            f"{archive}: the file does not exist; download it, or correct archives in the config"
        ) from None
    except NotImplementedError as error:
        raise SettingsError(
            f"{archive}: cannot be unpacked here ({error}); unpack it yourself and set archives: []"
        ) from error
    except (OSError, *DAMAGES) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SettingsError(
                f"{archive}: the disk is full; make room for the archive's content"
            ) from error
        if isinstance(error, OSError) and error.filename is not None:
            raise SettingsError(
                f"{archive}: cannot be unpacked ({error.strerror}: {str(error.filename)!r}); "
                "check the permissions"
            ) from error
        reason = " ".join(str(error).split())
        raise SettingsError(
            f"{archive}: is damaged or cut short ({reason}); download it again"
        ) from error
