"""A BIDS folder: scans in sub-*/[ses-*/]anat, lesion masks there or in derivatives."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from brainuad.datasets.layouts import Layout, LayoutOptions, RawSubject
from brainuad.datasets.layouts._tree import (
    Tree,
    cases,
    in_numbers,
    of_no_session,
    raw_subject,
    read_tree,
    several,
)
from brainuad.io import job
from brainuad.io.scan_names import plain_session

# The suffixes of BIDS.
MODALITIES = {"t1": "T1w", "t2": "T2w", "flair": "FLAIR", "pd": "PDw"}
LAYOUT = Layout(
    expected="sub-01/[ses-01/]anat/sub-01[_ses-01][_...]_{T1w,T2w,FLAIR,PDw}.nii.gz",
    modalities=MODALITIES,
    demographics=("participants.tsv",),
)

# The path to a subject contains no other subject, no derivatives and no source data.
SUBJECT = r"(?:(?!sub-|derivatives/|sourcedata/)[^/]+/)*(?P<case>sub-[^/]+)"
DERIVATIVE = r"(?:.*/)?derivatives/(?:.*/)?(?P<case>sub-[^/]+)"
SESSION = r"(?:/(?P<session>ses-[^/]+))?"
LESION = re.compile(r"lesion.*|.*(?<!non)lesions?", re.IGNORECASE)
# Names for the space of the scan itself, besides its suffix, in small letters.
NATIVE_SPACES = ("orig", "individual", "native", "scanner", "subject")

# The folders anat of a subject by session; "" if there are no sessions.
Sessions = dict[str, list[str]]


def find_subjects(root: Path, options: LayoutOptions) -> list[RawSubject]:
    """One row per folder sub-* and session with a folder anat; session 2 comes before 10.

    If there are several runs, the first one with a
    lesion mask is taken, or else the first one; the log names the scans that were not taken. Scans
    with a contrast agent (`ce-`) are skipped.

    A lesion mask belongs to a scan of the same subject and session, and must not name another run,
    acquisition or space than the scan; a mask without a session belongs to the scans of a subject
    with one session. It is in the folder anat or in one below derivatives/; has the entity
    `label-L`, or one whose value begins or ends with `lesion`; and ends in `_mask` or `_roi`. If
    there are masks in several spaces, the one in the space of the scan counts.
    """
    tree = read_tree(root)
    scans, masks = _sessions(tree, SUBJECT), _sessions(tree, DERIVATIVE)
    rows = []
    with_unused = 0
    for subject, folders in cases(tree, SUBJECT).items():
        if len(folders) > 1:
            problem = several([root / folder for folder in folders])
            rows.append(RawSubject(subject, {}, problem=problem))
            continue
        of_subject, others = _sessions_of(
            tree,
            subject,
            scans=scans.get(subject, {}),
            masks=masks.get(subject, {}),
            options=options,
        )
        rows += of_subject
        if others:
            with_unused += 1
            job.log(f"{subject}: not used: {', '.join(others)}")
    if with_unused:
        job.log(f"subjects with scans or masks that are not used: {with_unused}")
    return rows


def _sessions_of(
    tree: Tree, subject: str, *, scans: Sessions, masks: Sessions, options: LayoutOptions
) -> tuple[list[RawSubject], list[str]]:
    """A subject at each session, with its wanted scans; and the stems that are not used."""
    lesions = _lesion_masks(tree, subject, [scans, masks])
    every = {
        session: {
            modality: _scans(tree, anat, subject, modality) for modality in options.modalities
        }
        for session, (anat,) in sorted(scans.items(), key=lambda item: in_numbers(item[0]))
    }
    found = {session: stems for session, stems in every.items() if any(stems.values())}
    if not found:
        # Without this, it would be said to lack the mask.
        wanted = " or ".join(options.modalities)
        problem = f"no {wanted} scan of this subject" if lesions else ""
        return [RawSubject(subject, {}, problem=problem)], list(lesions)
    chosen = {}
    for session, of_session in found.items():
        own = ("", session) if len(found) == 1 else (session,)
        chosen[session] = _choose_runs(of_session, [m for m, its in lesions.items() if its in own])
    rows = [
        raw_subject(tree, subject, chosen.get(session, {}), session=plain_session(session))
        for session in every
    ]
    taken = {stem for roles in chosen.values() for stems in roles.values() for stem in stems}
    unclear = [mask for mask, its in lesions.items() if not its and mask not in taken]
    if len(found) > 1 and unclear:
        reason = {"seg": of_no_session(unclear, subject)}
        rows = [row if row.seg else replace(row, problems=reason | row.problems) for row in rows]
    every_scan = [stem for roles in found.values() for stems in roles.values() for stem in stems]
    return rows, [stem for stem in (*every_scan, *lesions) if stem not in taken]


def _choose_runs(found: dict[str, list[str]], lesions: Sequence[str]) -> dict[str, list[str]]:
    """One scan of each modality of a session, with a lesion mask if there is one, and the masks."""
    chosen = {
        modality: sorted(scans, key=lambda scan: not _fitting(lesions, [scan]))[:1]
        for modality, scans in found.items()
    }
    return {
        **chosen,
        "seg": _fitting(lesions, [scan for scans in chosen.values() for scan in scans]),
    }


def _fitting(masks: Sequence[str], scans: Sequence[str]) -> list[str]:
    """The masks that can belong to one of the scans; if several can, those in the nearest space."""
    distances = {
        mask: min((_distance(_entities(mask), _entities(scan)) for scan in scans), default=math.inf)
        for mask in masks
    }
    nearest = min(distances.values(), default=math.inf)
    return [mask for mask, distance in distances.items() if distance == nearest < math.inf]


def _distance(mask: dict[str, str], scan: dict[str, str]) -> float:
    """Infinite if a mask contradicts the scan in its run, acquisition or space.

    0 if both name the same space, 1 if the mask names the scan's own space by another word, 2 if
    the scan names no space.
    """
    mask, scan = ({name: its[name].lower() for name in its} for its in (mask, scan))
    # A scan need not name its space, whereas run and acquisition are always in its name.
    named = [e for e in ("run", "acq", "space") if e in mask and (e in scan or e != "space")]
    if any(mask[entity] != scan.get(entity) for entity in named):
        return math.inf
    if mask.get("space") == scan.get("space"):
        return 0
    native = {*NATIVE_SPACES, *(suffix.lower() for suffix in MODALITIES.values() if suffix in scan)}
    return 1 if mask.get("space") in native else 2


def _entities(stem: str) -> dict[str, str]:
    """The values of a name by entity, without leading zeros; a suffix is its own value."""
    words = stem.rpartition("/")[2].split("_")
    entities = {word.partition("-")[0]: word.partition("-")[2] or word for word in words}
    return {name: value.lstrip("0") or value for name, value in entities.items()}


def _sessions(tree: Tree, pattern: str) -> dict[str, Sessions]:
    sessions: dict[str, Sessions] = {}
    for match in tree.folders(f"{pattern}{SESSION}/anat"):
        of_subject = sessions.setdefault(match["case"], {})
        of_subject.setdefault(match["session"] or "", []).append(match[0])
    return sessions


def _scans(tree: Tree, anat: str, subject: str, modality: str) -> list[str]:
    # ASSUME: with a contrast agent other tissue is bright, so such a scan is never used in place of
    # the plain scan.
    name = rf"{re.escape(subject)}_(?!(?:.*_)?ce-)(?:.*_)?{MODALITIES[modality]}"
    return sorted(_named(tree, anat, name), key=in_numbers)


def _lesion_masks(tree: Tree, subject: str, places: Sequence[Sessions]) -> dict[str, str]:
    """The session of each lesion mask of a subject; "" if neither name nor folder contains it."""
    found = {}
    for folder_session, anats in (item for sessions in places for item in sessions.items()):
        for anat in anats:
            for mask in _named(tree, anat, rf"{re.escape(subject)}_.*_(?:mask|roi)"):
                in_name = re.search(r"_(ses-[^_]+)_", mask.rpartition("/")[2])
                if _marks_lesions(_entities(mask)):
                    found[mask] = in_name[1] if in_name else folder_session
    return found


def _marks_lesions(entities: dict[str, str]) -> bool:
    values = [value for entity, value in entities.items() if entity not in ("sub", "ses")]
    return entities.get("label") == "L" or any(map(LESION.fullmatch, values))


def _named(tree: Tree, anat: str, name: str) -> list[str]:
    return [stem for stem in tree.stems_in(anat) if re.fullmatch(name, stem.rpartition("/")[2])]
