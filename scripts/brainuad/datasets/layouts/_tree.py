"""What layouts share: the files below a root, and the scans of a subject among them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from brainuad.datasets.layouts import RawSubject
from brainuad.io import formats, job
from brainuad.io.folders import walk

SUFFIXES = (".nii.gz", ".nii")


@dataclass(frozen=True)
class Tree:
    """The folders below a root and the scans in them.

    scans  the names of the scan files (including other formats than NIfTI), by folder and by name
           without suffix; folders are relative to the root ("" is the root itself), sorted, with
           forward slashes
    """

    root: Path
    scans: dict[str, dict[str, list[str]]]

    def folders(self, pattern: str) -> list[re.Match[str]]:
        """The matches of a regular expression with the whole paths of folders."""
        matches = (re.fullmatch(pattern, folder) for folder in self.scans)
        return [match for match in matches if match]

    def stems_in(self, folder: str) -> list[str]:
        """The scans in a folder, as paths below the root without suffix, sorted, each once."""
        return sorted(str(PurePosixPath(folder, stem)) for stem in self.scans.get(folder, {}))

    def stems(self) -> list[str]:
        """The scans of all folders."""
        return [stem for folder in self.scans for stem in self.stems_in(folder)]

    def files(self, stem: str, suffixes: tuple[str, ...]) -> list[Path]:
        """The files of a stem with one of the suffixes, in upper or lower case."""
        folder, _, name = stem.rpartition("/")
        names = self.scans.get(folder, {}).get(name, [])
        return [self.root / folder / file for file in names if file.lower().endswith(suffixes)]


def read_tree(root: Path) -> Tree:
    """The names of all folders and scans below a root, as `folders.walk` finds them.

    A folder that cannot be read counts as empty, so that its subject is listed without files.
    """
    scans: dict[str, dict[str, list[str]]] = {}

    def note(error: OSError) -> None:
        job.log(f"{error.filename}: cannot be read ({error.strerror}); check its permissions")
        scans[_relative(error.filename, root)] = {}

    def note_again(folder: str) -> None:
        job.log(f"{folder}: a link to a folder that is read already, so nothing is taken from it")

    for folder, files in walk(root, unreadable=note, again=note_again):
        of_folder = scans[_relative(folder, root)] = {}
        for file in files:
            if stem_of(file) != file:
                of_folder.setdefault(stem_of(file), []).append(file)
    return Tree(root, dict(sorted(scans.items())))


def cases(tree: Tree, pattern: str) -> dict[str, list[str]]:
    """The folders of each case, by its name (the pattern's group `case`), sorted."""
    folders: dict[str, list[str]] = {}
    for match in tree.folders(pattern):
        folders.setdefault(match["case"], []).append(match[0])
    return dict(sorted(folders.items()))


def stem_of(name: str) -> str:
    """A file name without the suffix of a scan, in upper or lower case; other names unchanged."""
    for suffix in (*SUFFIXES, *formats.SUFFIXES):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def raw_subject(
    tree: Tree,
    subject: str,
    stems: dict[str, Sequence[str]],
    *,
    session: str = "",
    site: str | None = None,
) -> RawSubject:
    """The subject with the file of each role (modality, seg, brain_mask), among the role's stems.

    A role with several files, or only with files of another format, has a problem and no file.
    """
    found: dict[str, Path] = {}
    problems: dict[str, str] = {}
    for role, places in stems.items():
        files = [file for stem in places for file in tree.files(stem, SUFFIXES)]
        others = [file for stem in places for file in tree.files(stem, formats.SUFFIXES)]
        if len(files) == 1:
            found[role] = files[0]
        elif files:
            problems[role] = several(files)
        elif others:
            problems[role] = f"{others[0]}: {formats.what_by_suffix(others[0].name)}"
    return RawSubject(
        subject=subject,
        session=session,
        seg=found.pop("seg", None),
        brain_mask=found.pop("brain_mask", None),
        scans=found,
        site=site,
        problems=problems,
    )


def several(files: Sequence[Path]) -> str:
    """The reason why none of several files can be taken."""
    return f"there is more than one: {' and '.join(map(str, files))}; keep one of them"


def of_no_session(stems: Sequence[str], subject: str) -> str:
    """The reason why files without a session are not taken if the subject has several sessions."""
    shown = " and ".join(stems)
    return (
        f"{shown} names no session, and {subject} has several; add the session to the name or "
        "folder of the file"
    )


def in_numbers(name: str) -> list[tuple[bool, int, str]]:
    """A sort key by which run-2 comes before run-10."""
    parts = re.findall(r"\d+|\D+", name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _relative(folder: str, root: Path) -> str:
    path = Path(folder).relative_to(root).as_posix()
    return "" if path == "." else path
