"""Write the members of an archive as files below a folder, and nowhere else."""

import os
import posixpath
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from brainuad.io import job
from brainuad.io.errors import SettingsError

BUFFER = 2**20
GIBIBYTE = 2**30


@dataclass
class Members:
    """Writes the members of one archive below a folder, and never overwrites a file.

    The folder contains no link while files are written, so no path can lead out of it.
    """

    archive: Path
    folder: Path
    count: int = 0
    size: int = 0
    skipped: int = 0
    links: list[tuple[PurePosixPath, PurePosixPath]] = field(default_factory=list)

    def place(self, name: str) -> PurePosixPath | None:
        """The path of a member below the folder, or None for files that macOS adds."""
        # Some zips from Windows have backslashes between folders.
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", name) or "\0" in name:
            raise SettingsError(
                f"{self.archive}: its member {name!r} would be written outside the folder; the "
                "archive may be malicious, download it from its publisher"
            )
        if {"__MACOSX", ".DS_Store"} & set(path.parts) or path.name.startswith("._"):
            self.skipped += 1
            return None
        return path

    def make_folder(self, path: PurePosixPath) -> None:
        with self._refusing_second(path):
            (self.folder / path).mkdir(parents=True, exist_ok=True)

    def write(self, path: PurePosixPath, source: BinaryIO, *, modified: float) -> None:
        """Write a file with its time in seconds since 1970; the same file may exist already."""
        self.make_folder(path.parent)
        file = self.folder / path
        self.count += 1
        if file.is_file():
            with file.open("rb") as there:
                if not _same_bytes(there, source):
                    raise self._second(path)
            return
        with self._refusing_second(path), file.open("xb") as target:
            shutil.copyfileobj(source, target, BUFFER)
            before, self.size = self.size, self.size + target.tell()
        now = file.stat().st_mtime
        os.utime(file, (now, max(0, min(modified, now))))
        if self.size // GIBIBYTE > before // GIBIBYTE:
            job.log(f"{self.archive}: {self.count} files, {self.size / GIBIBYTE:.0f} GiB so far")

    def add_link(self, path: PurePosixPath, target: str) -> None:
        """Remember a link; `target` is relative to the folder."""
        normal = PurePosixPath(posixpath.normpath(target))
        if normal.is_absolute() or ".." in normal.parts:
            raise SettingsError(
                f"{self.archive}: its member {str(path)!r} is a link out of the folder; the "
                "archive may be malicious, download it from its publisher"
            )
        self.links.append((path, normal))

    def write_links(self) -> None:
        """Write copies of the files that links point to, after all files were written."""
        # ASSUME: a link inside an archive becomes a copy of its file, so that no link can point
        # elsewhere later; the archives of the five data sets have no links.
        for path, target in self.links:
            if not (self.folder / target).is_file():
                raise SettingsError(
                    f"{self.archive}: its member {str(path)!r} is a link to {str(target)!r}, which "
                    "is not a file of the archive; unpack it yourself and set archives: []"
                )
            with (self.folder / target).open("rb") as source:
                self.write(path, source, modified=os.fstat(source.fileno()).st_mtime)

    def check_room(self, size: int) -> None:
        free = shutil.disk_usage(self.folder).free
        if size > free:
            raise SettingsError(
                f"{self.archive}: needs {size / GIBIBYTE:.1f} GiB, and the disk has "
                f"{free / GIBIBYTE:.1f} GiB left; make room"
            )

    @contextmanager
    def _refusing_second(self, path: PurePosixPath) -> Iterator[None]:
        try:
            yield
        except (FileExistsError, IsADirectoryError, NotADirectoryError):
            raise self._second(path) from None

    def _second(self, path: PurePosixPath) -> SettingsError:
        return SettingsError(
            f"{self.archive}: its member {str(path)!r} exists already with other content, from "
            "this archive or an earlier one; check archives in the config, or unpack them yourself"
        )


def _same_bytes(one: BinaryIO, other: BinaryIO) -> bool:
    chunks = zip_longest(*(iter(partial(file.read, BUFFER), b"") for file in (one, other)))
    return all(first == second for first, second in chunks)
