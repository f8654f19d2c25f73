"""Recognize files that are not NIfTI: formats of other tools, and pointers without content."""

import codecs
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Format:
    """A file format, recognized by its suffix or its first bytes; messages show name and todo."""

    name: str
    todo: str
    suffixes: Sequence[str] = ()
    starts: Sequence[bytes] = ()
    offset: int = 0


C3D = "convert it to .nii.gz, for example with c3d or 3D Slicer"
DECOMPRESS = "decompress it, or compress it with gzip instead"
FORMATS = (
    Format(
        "half of an Analyze or NIfTI pair (.hdr, .img), whose header often lacks the orientation",
        "convert the scan to .nii.gz",
        suffixes=(".hdr", ".img", ".hdr.gz", ".img.gz"),
    ),
    Format(
        "a FreeSurfer volume",
        "convert it to .nii.gz with mri_convert",
        suffixes=(".mgz", ".mgh"),
        starts=(b"\0\0\0\1",),
    ),
    Format("an NRRD volume", C3D, suffixes=(".nrrd", ".nhdr"), starts=(b"NRRD",)),
    Format("a MetaImage", C3D, suffixes=(".mha", ".mhd"), starts=(b"ObjectType", b"NDims")),
    Format(
        "a MINC volume",
        "convert it to .nii.gz with mnc2nii",
        suffixes=(".mnc", ".mnc.gz"),
        starts=(b"\x89HDF", b"CDF\1"),
    ),
    Format(
        "a DICOM file",
        "convert its series with dcm2niix",
        suffixes=(".dcm", ".ima"),
        starts=(b"DICM",),
        offset=128,
    ),
    Format("compressed by bzip2", DECOMPRESS, suffixes=(".nii.bz2",), starts=(b"BZh",)),
    Format("compressed by xz", DECOMPRESS, suffixes=(".nii.xz",), starts=(b"\xfd7zXZ\0",)),
    Format("compressed by zstd", DECOMPRESS, suffixes=(".nii.zst",), starts=(b"\x28\xb5\x2f\xfd",)),
    Format("a zip", "unpack it", suffixes=(".nii.zip",), starts=(b"PK\3\4",)),
)
SUFFIXES = tuple(suffix for form in FORMATS for suffix in form.suffixes)

POINTERS = {
    b"version https://git-lfs.github.com/spec": "git-lfs",
    b"version https://hawser.github.com/spec": "git-lfs",
    b"/annex/objects/": "git-annex",
}
# Where a file system has no links, git writes their target as text.
ANNEX = b".git/annex/objects/"
GET = {"git-lfs": "git lfs pull", "git-annex": "git annex get, or datalad get"}
LONGEST_POINTER = 2000
FIRST_WORDS = 60  # bytes

ARCHIVES = (
    *(".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst"),
    *(".7z", ".rar"),
)


def what_by_suffix(name: str) -> str:
    """What a file with one of SUFFIXES is, and what to do."""
    form = next(form for form in FORMATS if name.lower().endswith(tuple(form.suffixes)))
    return f"is {form.name}; {form.todo}"


def what_by_content(content: bytes) -> str:
    """What a file with these first bytes is if it is not NIfTI, and what to do."""
    for form in FORMATS:
        if form.starts and content[form.offset :].startswith(tuple(form.starts)):
            return f"is not a NIfTI file but {form.name}; {form.todo}"
    if text := _text(content):
        # Of a server that wanted a login, or had no such file.
        return f"is not a NIfTI file but text ({text} ...); download the file again"
    return "is not a NIfTI file; convert it, for example with dcm2niix"


def _text(content: bytes) -> str:
    """The first words of a text in one line; "" for any other content."""
    # It leaves out a character that is cut at the end.
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        text = " ".join(decoder.decode(content[:FIRST_WORDS]).split())
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""


def what_pointer(path: Path, content: bytes = b"") -> str | None:
    """Which tool has the content of a file that is a pointer, and what to do; None for others.

    content  the first bytes of the file, if it can be read
    """
    tool = next((POINTERS[start] for start in POINTERS if content.startswith(start)), None)
    is_text_link = ANNEX in content[:LONGEST_POINTER] and content.startswith((b".", b"/"))
    is_link = os.path.islink(path) and not os.path.exists(path) and _leads_into_annex(path)
    if is_text_link or is_link:
        tool = "git-annex"
    return tool and f"is a pointer of {tool}; get its content first ({GET[tool]})"


def what_pointer_file(path: Path) -> str | None:
    """As `what_pointer`, of a file that was not read."""
    with suppress(OSError), open(path, "rb") as file:
        return what_pointer(path, file.read(LONGEST_POINTER))
    return what_pointer(path)


def _leads_into_annex(path: Path) -> bool:
    return ANNEX.decode() in Path(os.path.realpath(path)).as_posix()
