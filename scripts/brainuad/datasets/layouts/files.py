"""A user's own scans, found by a pattern per file: {t1: "{subject}/T1.nii.gz", seg: ...}."""

import re
from pathlib import Path, PurePosixPath

from brainuad.datasets.layouts import RawSubject, SourceOptions
from brainuad.datasets.layouts._tree import SUFFIXES, raw_subject, read_tree, stem_of
from brainuad.io import formats
from brainuad.io.errors import SettingsError

LAYOUT = "the files that the patterns of the key files describe"
LESIONS = frozenset({1})
IGNORED: frozenset[int] = frozenset()
FIXED_LABELS = False
LESIONS_ON_OWN_GRID = False
BRAIN_MASKS = False
DEMOGRAPHICS = ()

PLACEHOLDER = "{subject}"
OTHER_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def find_subjects(root: Path, options: SourceOptions) -> list[RawSubject]:
    """One subject per name that fits the pattern of an asked scan or of the mask.

    A pattern is a path below the root; what {subject} stands for holds no slash and is the same at
    each place. Either of .nii.gz and .nii fits. Raises SettingsError as `check_patterns`, and where
    no scan fits.
    """
    check_patterns(options.files or {})
    patterns = {
        role: stem_of(str(PurePosixPath(pattern)))
        for role, pattern in (options.files or {}).items()
    }
    scans = [role for role in options.modalities if role in patterns]
    roles = [role for role in (*scans, "seg") if role in patterns]
    tree = read_tree(root)
    stems = tree.stems()
    names: dict[str, set[str]] = {}
    for role in roles:
        before, *others = map(re.escape, patterns[role].split(PLACEHOLDER))
        regex = re.compile(f"{before}(?P<subject>[^/]+)" + "(?P=subject)".join(others))
        names[role] = {match["subject"] for match in map(regex.fullmatch, stems) if match}
    if not any(names[role] for role in scans):
        shown = " or ".join(repr(options.files[role]) for role in scans)
        raise SettingsError(f"no file below {root} fits {shown}")
    return [
        raw_subject(
            tree, subject, {role: [patterns[role].replace(PLACEHOLDER, subject)] for role in roles}
        )
        for subject in sorted(set().union(*names.values()))
    ]


def check_patterns(patterns: dict[str, str]) -> None:
    """SettingsError for a pattern that no file can fit: it names its role and what is wrong."""
    for role, pattern in patterns.items():
        if reason := _why_none_fits(pattern):
            raise SettingsError(f"files.{role}: the pattern {pattern!r} {reason}")


def _why_none_fits(pattern: str) -> str:
    if PLACEHOLDER not in pattern:
        return f"has no {PLACEHOLDER}; write it where the subject's name stands"
    if others := OTHER_PLACEHOLDER.findall(pattern.replace(PLACEHOLDER, "")):
        return f"holds {others[0]}, but {PLACEHOLDER} alone stands for something"
    if found := set(pattern) & set("*?"):
        return (
            f"holds {min(found)}, but {PLACEHOLDER} alone stands for something; write all else as "
            "the files are named, or list them in a table (layout: table)"
        )
    if pattern.startswith(("/", "~")) or ".." in PurePosixPath(pattern).parts:
        return "leaves the root; patterns start below root, with the first folder in it"
    if not pattern.lower().endswith(SUFFIXES):
        known = pattern.lower().endswith(formats.SUFFIXES)
        other = f": it {formats.what_by_suffix(pattern)}" if known else ""
        return f"does not end in .nii.gz or .nii{other}"
    return ""
