"""A user's own scans, found by a pattern per file: {t1: "{subject}/T1.nii.gz", seg: ...}."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from brainuad.config.patterns import SESSION, SUBJECT, check_patterns
from brainuad.datasets.layouts import Layout, LayoutOptions, RawSubject
from brainuad.datasets.layouts._tree import (
    Tree,
    in_numbers,
    of_no_session,
    raw_subject,
    read_tree,
    stem_of,
)
from brainuad.io.errors import SettingsError
from brainuad.io.scan_names import plain_session

LAYOUT = Layout(
    expected="the files that the patterns of the key files describe",
)

# The stems of a role by subject and session; "" if the pattern has no session.
Places = dict[tuple[str, str], list[str]]


def find_subjects(root: Path, options: LayoutOptions) -> list[RawSubject]:
    """One row per subject and session that matches the pattern of a wanted scan or of the mask.

    A pattern is a path below the root; {subject} and {session} stand for text without a slash, and
    for the same text at each place. Both .nii.gz and .nii match. A file whose pattern has no
    {session} belongs to the session of a subject that has one session. Raises SettingsError like
    `check_patterns`, for a wanted scan without a pattern, and if no scan matches.
    """
    check_patterns(options.files or {})
    if missing := [role for role in options.modalities if role not in (options.files or {})]:
        raise SettingsError(f"files: there is no pattern for {missing[0]}")
    roles = [role for role in (*options.modalities, "seg") if role in (options.files or {})]
    tree = read_tree(root)
    stems = tree.stems()
    found = {
        role: _places(stem_of(str(PurePosixPath(options.files[role]))), stems) for role in roles
    }
    if not any(found[role] for role in options.modalities):
        shown = " or ".join(repr(options.files[role]) for role in options.modalities)
        raise SettingsError(f"no file below {root} matches {shown}")
    sessions: dict[str, set[str]] = {}
    for subject, session in (place for places in found.values() for place in places):
        sessions.setdefault(subject, set()).update({session} - {""})
    return [
        _raw_subject(tree, subject, session, found, several=len(sessions[subject]) > 1)
        for subject in sorted(sessions)
        for session in sorted(sessions[subject] or {""}, key=in_numbers)
    ]


def _places(pattern: str, stems: Sequence[str]) -> Places:
    """The stems that match a pattern, by subject and session."""
    regex, known = "", set()
    for part in re.split(f"({re.escape(SUBJECT)}|{re.escape(SESSION)})", pattern):
        name = part[1:-1]
        if part not in (SUBJECT, SESSION):
            regex += re.escape(part)
        elif name in known:
            regex += f"(?P={name})"
        else:
            regex += f"(?P<{name}>[^/]+)"
            known.add(name)
    places: Places = {}
    for match in filter(None, map(re.compile(regex).fullmatch, stems)):
        session = plain_session(match["session"]) if "session" in known else ""
        places.setdefault((match["subject"], session), []).append(match[0])
    return places


def _raw_subject(
    tree: Tree, subject: str, session: str, found: Mapping[str, Places], *, several: bool
) -> RawSubject:
    own, problems = {}, {}
    for role, places in found.items():
        own[role] = places.get((subject, session), [])
        if session and (of_subject := places.get((subject, ""))):
            if several:
                problems[role] = of_no_session(of_subject, subject)
            else:
                own[role] = [*own[role], *of_subject]
    raw = raw_subject(tree, subject, own, session=session)
    return replace(raw, problems=problems | raw.problems)
