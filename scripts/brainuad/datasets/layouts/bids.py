"""A BIDS folder: scans in sub-*/[ses-*/]anat, lesion masks there or in derivatives."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from brainuad.datasets.layouts import LayoutOptions, RawSubject
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

LAYOUT = "sub-01/[ses-01/]anat/sub-01[_ses-01][_...]_{T1w,T2w,FLAIR,PDw}.nii.gz"
LESIONS = frozenset({1})
IGNORED: frozenset[int] = frozenset()
FIXED_LABELS = False
LESIONS_ON_OWN_GRID = False
BRAIN_MASKS = False
DEMOGRAPHICS = ("participants.tsv",)
# The suffixes that BIDS has for them.
MODALITIES = {"t1": "T1w", "t2": "T2w", "flair": "FLAIR", "pd": "PDw"}

# The way to a subject leads through no other subject, no derivative and no source data.
SUBJECT = r"(?:(?!sub-|derivatives/|sourcedata/)[^/]+/)*(?P<case>sub-[^/]+)"
DERIVATIVE = r"(?:.*/)?derivatives/(?:.*/)?(?P<case>sub-[^/]+)"
SESSION = r"(?:/(?P<session>ses-[^/]+))?"
LESION = re.compile(r"lesion.*|.*(?<!non)lesions?", re.IGNORECASE)
# Names that BIDS has for the space of the scan itself, besides its suffix.
NATIVE_SPACES = ("orig", "individual")

# The folders anat of a subject by session; "" where there are no sessions.
Sessions = dict[str, list[str]]


def find_subjects(root: Path, options: LayoutOptions) -> list[RawSubject]:
    """One row per folder sub-* and session with an asked scan, named like them; 2 comes before 10.

    A subject without any asked scan has one row. Of several runs the first is taken that has a
    lesion mask, or the first; the log says for which scans. Scans with a contrast agent (`ce-`) are
    passed over. A lesion mask belongs to the same subject and session, and to no other run,
    acquisition or space than the scan's; one that names no session belongs to the scans of a
    subject with one session. It lies in the folder anat or in one below derivatives/; has the
    entity `label-L`, or one whose value begins or ends with `lesion`; and ends in `_mask` or
    `_roi`. Of a mask in several spaces the one of the scan counts.
    """
    tree = read_tree(root)
    scans, masks = _sessions(tree, SUBJECT), _sessions(tree, DERIVATIVE)
    rows = []
    passed_over = 0
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
            passed_over += 1
            job.log(f"{subject}: passed over {', '.join(others)}")
    if passed_over:
        job.log(f"subjects with scans or masks that were passed over: {passed_over}")
    return rows


def _sessions_of(
    tree: Tree, subject: str, *, scans: Sessions, masks: Sessions, options: LayoutOptions
) -> tuple[list[RawSubject], list[str]]:
    """A subject at each session that has an asked scan; and the stems that were passed over."""
    lesions = _lesion_masks(tree, subject, [scans, masks])
    found = {
        session: {
            modality: _scans(tree, anat, subject, modality) for modality in options.modalities
        }
        for session, (anat,) in sorted(scans.items(), key=lambda item: in_numbers(item[0]))
    }
    found = {session: stems for session, stems in found.items() if any(stems.values())}
    if not found:
        return [RawSubject(subject, {})], list(lesions)
    chosen = {}
    for session, of_session in found.items():
        own = ("", session) if len(found) == 1 else (session,)
        chosen[session] = _choose_runs(of_session, [m for m, its in lesions.items() if its in own])
    rows = [
        raw_subject(tree, subject, stems, session=plain_session(session))
        for session, stems in chosen.items()
    ]
    taken = {stem for roles in chosen.values() for stems in roles.values() for stem in stems}
    if unclear := [mask for mask, its in lesions.items() if not its and mask not in taken]:
        reason = {"seg": of_no_session(unclear, subject)}
        rows = [row if row.seg else replace(row, problems=reason | row.problems) for row in rows]
    every_scan = [stem for roles in found.values() for stems in roles.values() for stem in stems]
    return rows, [stem for stem in (*every_scan, *lesions) if stem not in taken]


def _choose_runs(found: dict[str, list[str]], lesions: Sequence[str]) -> dict[str, list[str]]:
    """Of a session the first scan of each modality, one with a lesion mask first, and the masks."""
    chosen = {
        modality: sorted(scans, key=lambda scan: not _fitting(lesions, [scan]))[:1]
        for modality, scans in found.items()
    }
    return {
        **chosen,
        "seg": _fitting(lesions, [scan for scans in chosen.values() for scan in scans]),
    }


def _fitting(masks: Sequence[str], scans: Sequence[str]) -> list[str]:
    """The masks that can be one of the scans', of several spaces those nearest to the scan's."""
    distances = {
        mask: min((_distance(_entities(mask), _entities(scan)) for scan in scans), default=math.inf)
        for mask in masks
    }
    nearest = min(distances.values(), default=math.inf)
    return [mask for mask, distance in distances.items() if distance == nearest < math.inf]


def _distance(mask: dict[str, str], scan: dict[str, str]) -> float:
    """Infinite where a mask says of its scan what is not so of this one.

    0 in the scan's own space, 1 where another word stands for that, 2 in a space that the scan does
    not name.
    """
    # A scan need not name the space it lies in, whereas run and acquisition are in its name.
    told = [e for e in ("run", "acq", "space") if e in mask and (e in scan or e != "space")]
    if any(mask[entity] != scan.get(entity) for entity in told):
        return math.inf
    if mask.get("space") == scan.get("space"):
        return 0
    native = {*NATIVE_SPACES, *(suffix for suffix in MODALITIES.values() if suffix in scan)}
    return 1 if mask.get("space") in native else 2


def _entities(stem: str) -> dict[str, str]:
    """The values by entity of a name, numbers without zeros; a word alone stands for itself."""
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
    # ASSUME: a scan with a contrast agent shows other tissue bright, so it is never taken for the
    # plain scan.
    name = rf"{re.escape(subject)}_(?!(?:.*_)?ce-)(?:.*_)?{MODALITIES[modality]}"
    return sorted(_named(tree, anat, name), key=in_numbers)


def _lesion_masks(tree: Tree, subject: str, places: Sequence[Sessions]) -> dict[str, str]:
    """The session of each lesion mask of a subject, "" where neither name nor folder tells it."""
    found = {}
    for folder_session, anats in (item for sessions in places for item in sessions.items()):
        for anat in anats:
            for mask in _named(tree, anat, rf"{re.escape(subject)}_.*_(?:mask|roi)"):
                told = re.search(r"_(ses-[^_]+)_", mask.rpartition("/")[2])
                if _marks_lesions(_entities(mask)):
                    found[mask] = told[1] if told else folder_session
    return found


def _marks_lesions(entities: dict[str, str]) -> bool:
    values = [value for entity, value in entities.items() if entity not in ("sub", "ses")]
    return entities.get("label") == "L" or any(map(LESION.fullmatch, values))


def _named(tree: Tree, anat: str, name: str) -> list[str]:
    return [stem for stem in tree.stems_in(anat) if re.fullmatch(name, stem.rpartition("/")[2])]
