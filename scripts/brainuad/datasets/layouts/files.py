"""A user's own scans, found by a pattern per file: {t1: "{subject}/T1.nii.gz", seg: ...}."""

import re
from pathlib import Path, PurePosixPath

from brainuad.config.patterns import PLACEHOLDER, check_patterns
from brainuad.datasets.layouts import LayoutOptions, RawSubject
from brainuad.datasets.layouts._tree import raw_subject, read_tree, stem_of
from brainuad.io.errors import SettingsError

LAYOUT = "the files that the patterns of the key files describe"
LESIONS = frozenset({1})
IGNORED: frozenset[int] = frozenset()
FIXED_LABELS = False
LESIONS_ON_OWN_GRID = False
BRAIN_MASKS = False
DEMOGRAPHICS = ()
MODALITIES = None


def find_subjects(root: Path, options: LayoutOptions) -> list[RawSubject]:
    """One subject per name that fits the pattern of an asked scan or of the mask.

    A pattern is a path below the root; what {subject} stands for holds no slash and is the same at
    each place. Either of .nii.gz and .nii fits. Raises SettingsError as `check_patterns`, for an
    asked scan without a pattern, and where no scan fits.
    """
    check_patterns(options.files or {})
    if missing := [role for role in options.modalities if role not in (options.files or {})]:
        raise SettingsError(f"files: there is no pattern for {missing[0]}")
    patterns = {
        role: stem_of(str(PurePosixPath(pattern)))
        for role, pattern in (options.files or {}).items()
    }
    roles = [role for role in (*options.modalities, "seg") if role in patterns]
    tree = read_tree(root)
    stems = tree.stems()
    names: dict[str, set[str]] = {}
    for role in roles:
        before, *others = map(re.escape, patterns[role].split(PLACEHOLDER))
        regex = re.compile(f"{before}(?P<subject>[^/]+)" + "(?P=subject)".join(others))
        names[role] = {match["subject"] for match in map(regex.fullmatch, stems) if match}
    if not any(names[role] for role in options.modalities):
        shown = " or ".join(repr(options.files[role]) for role in options.modalities)
        raise SettingsError(f"no file below {root} fits {shown}")
    return [
        raw_subject(
            tree, subject, {role: [patterns[role].replace(PLACEHOLDER, subject)] for role in roles}
        )
        for subject in sorted(set().union(*names.values()))
    ]
