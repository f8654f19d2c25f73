"""Patterns of a user's own files, such as "{subject}/T1.nii.gz" or "{subject}/{session}/T1.nii"."""

import re
from pathlib import PurePosixPath

from brainuad.io import formats
from brainuad.io.errors import SettingsError

SUBJECT, SESSION = "{subject}", "{session}"
OTHER_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
SUFFIXES = (".nii.gz", ".nii")


def check_patterns(patterns: dict[str, str]) -> None:
    """Raise SettingsError for a pattern that no file can match; it says why."""
    for role, pattern in patterns.items():
        if reason := _why_none_matches(pattern):
            raise SettingsError(f"files.{role}: the pattern {pattern!r} {reason}")


def _why_none_matches(pattern: str) -> str:
    if SUBJECT not in pattern:
        return f"has no {SUBJECT}; write it in place of the subject's name"
    if others := OTHER_PLACEHOLDER.findall(pattern.replace(SUBJECT, "").replace(SESSION, "")):
        return f"holds {others[0]}, but only {SUBJECT} and {SESSION} are placeholders"
    if found := set(pattern) & set("*?"):
        return (
            f"holds {min(found)}, but only {SUBJECT} and {SESSION} are placeholders; write the "
            "rest as in the names of the files, or list the files in a table (layout: table)"
        )
    if pattern.startswith(("/", "~")) or ".." in PurePosixPath(pattern).parts:
        return "leaves the root; write the path relative to it"
    if not pattern.lower().endswith(SUFFIXES):
        known = pattern.lower().endswith(formats.SUFFIXES)
        other = f": it {formats.what_by_suffix(pattern)}" if known else ""
        return f"does not end in .nii.gz or .nii{other}"
    return ""
