"""Pack the phantoms of a data set into archives like those that are downloaded."""

import gzip
import shutil
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from brainuad.config.phantoms import Archive
from brainuad.phantoms.layouts import Dataset

PACKED = datetime(2021, 6, 1, tzinfo=UTC)  # fixed, so that the bytes are always the same


def pack(root: Path, *, dataset: Dataset, kind: Archive) -> list[Path]:
    """Replace the folders in `root` by archives of them; return the archives' paths."""
    contents: dict[str, dict[str, Path]] = {}
    for path in sorted(root.rglob("*")):
        archive, name = _place(dataset, path.relative_to(root).as_posix())
        if name:
            contents.setdefault(archive, {})[name] = path
    suffix = ".tar.gz" if (dataset, kind) == (Dataset.ATLAS, "tar") else f".{kind}"
    write = _write_tar if kind == "tar" else _write_zip
    folders = [path for path in root.iterdir() if path.is_dir()]
    archives = [root / f"{name}{suffix}" for name in contents]
    for path, members in zip(archives, contents.values(), strict=True):
        write(path, members)
    for folder in folders:
        shutil.rmtree(folder)
    return archives


def _place(dataset: Dataset, name: str) -> tuple[str, str]:
    """The archive (without suffix) of a file of the tree, and the file's name in it."""
    match dataset:
        case Dataset.IXI:
            archive, _, name = name.partition("/")  # IXI's tars are flat
            return archive, name
        case Dataset.BRATS21:
            return "BraTS2021_Training_Data", name
        case Dataset.MSLUB:
            first = (int(name.partition("/")[0].removeprefix("patient")) - 1) // 5 * 5 + 1
            return f"3D-MR-MS_patient{first:02d}-{first + 4:02d}", name
        case Dataset.ATLAS:
            # ASSUME: ATLAS's archive is made as it is after decryption; password and encryption
            # have tests of their own.
            return "ATLAS_R2.0", f"ATLAS_2/{name}"
        case Dataset.WMH:
            return "dataverse_files", name  # DataverseNL's name for any download of several files


def _write_tar(path: Path, members: dict[str, Path]) -> None:
    compressed = path.suffix == ".gz"
    opened = gzip.GzipFile(path, "wb", compresslevel=1, mtime=0) if compressed else path.open("wb")
    with opened as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for name, member in members.items():
            entry = archive.gettarinfo(member, arcname=name)
            entry.mtime = int(PACKED.timestamp())
            entry.mode = 0o755 if entry.isdir() else 0o644
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            if entry.isdir():
                archive.addfile(entry)
            else:
                with member.open("rb") as content:
                    archive.addfile(entry, content)


def _write_zip(path: Path, members: dict[str, Path]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, member in members.items():
            folder = member.is_dir()
            entry = zipfile.ZipInfo(f"{name}/" if folder else name, PACKED.timetuple()[:6])
            entry.external_attr = (0o40755 << 16 | 0x10) if folder else 0o100644 << 16
            entry.compress_type = zipfile.ZIP_STORED if folder else zipfile.ZIP_DEFLATED
            archive.writestr(entry, b"" if folder else member.read_bytes())
