"""Patterns of a user's own files, such as "{subject}/T1.nii.gz" or "{subject}/{session}/T1.nii"."""

import re
from pathlib import PurePosixPath

from brainuad.io import formats
from brainuad.io.errors import SettingsError

SUBJECT, SESSION = "{subject}", "{session}"
OTHER_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
# What scans end in.
SUFFIXES = (".nii.gz", ".nii")


def check_patterns(patterns: dict[str, str]) -> None:
    """SettingsError for a pattern that no file can fit: it names its role and what is wrong."""
    for role, pattern in patterns.items():
        if reason := _why_none_fits(pattern):
            raise SettingsError(f"files.{role}: the pattern {pattern!r} {reason}")


def _why_none_fits(pattern: str) -> str:
    if SUBJECT not in pattern:
        return f"has no {SUBJECT}; write it where the subject's name stands"
    if others := OTHER_PLACEHOLDER.findall(pattern.replace(SUBJECT, "").replace(SESSION, "")):
        return f"holds {others[0]}, but {SUBJECT} and {SESSION} alone stand for something"
    if found := set(pattern) & set("*?"):
        return (
            f"holds {min(found)}, but {SUBJECT} and {SESSION} alone stand for something; write all "
            "else as the files are named, or list them in a table (layout: table)"
        )
    if pattern.startswith(("/", "~")) or ".." in PurePosixPath(pattern).parts:
        return "leaves the root; patterns start below root, with the first folder in it"
    if not pattern.lower().endswith(SUFFIXES):
        known = pattern.lower().endswith(formats.SUFFIXES)
        other = f": it {formats.what_by_suffix(pattern)}" if known else ""
        return f"does not end in .nii.gz or .nii{other}"
    return ""
