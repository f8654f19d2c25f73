"""A user's own scans, found by a pattern per file: {t1: "{subject}/T1.nii.gz", seg: ...}."""

import re
from pathlib import Path

from brainuad.errors import SettingsError
from brainuad.sources import RawSubject, SourceOptions
from brainuad.sources._tree import raw_subject, read_tree, stem_of

LAYOUT = "the files that the patterns of the key files describe"
LESIONS = frozenset({1})
IGNORED: frozenset[int] = frozenset()
FIXED_LABELS = False
LESIONS_ON_OWN_GRID = False
BRAIN_MASKS = False
DEMOGRAPHICS = ()

PLACEHOLDER = "{subject}"


def find_subjects(root: Path, options: SourceOptions) -> list[RawSubject]:
    """One subject per name that fits the pattern of an asked scan or of the mask.

    A pattern is a path below the root; what {subject} stands for holds no slash and is the same at
    each place. Either of .nii.gz and .nii fits. Raises SettingsError for a pattern that has no
    {subject}, or that names no NIfTI file, and where no scan fits.
    """
    patterns = {
        role: _stem_of_pattern(role, pattern) for role, pattern in (options.files or {}).items()
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


def _stem_of_pattern(role: str, pattern: str) -> str:
    if PLACEHOLDER not in pattern:
        raise SettingsError(
            f"files.{role}: the pattern {pattern!r} has no {PLACEHOLDER}; write it where the "
            "subject's name stands"
        )
    stem = stem_of(pattern)
    if stem == pattern:
        raise SettingsError(
            f"files.{role}: the pattern {pattern!r} does not end in .nii.gz or .nii"
        )
    return stem.removeprefix("./")
