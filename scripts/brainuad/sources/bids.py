"""A BIDS folder: T1w and T2w scans in sub-*/[ses-*/]anat, lesion masks there or in derivatives."""

import re
from collections.abc import Sequence
from pathlib import Path

from brainuad import job
from brainuad.sources import RawSubject, SourceOptions
from brainuad.sources._tree import Tree, cases, raw_subject, read_tree, several

LAYOUT = "sub-01/[ses-01/]anat/sub-01[_ses-01][_...]_{T1w,T2w}.nii.gz"
LESIONS = frozenset({1})
IGNORED: frozenset[int] = frozenset()
FIXED_LABELS = False
LESIONS_ON_OWN_GRID = False
BRAIN_MASKS = False
DEMOGRAPHICS = ("participants.tsv",)

# The way to a subject leads through no other subject, no derivative and no source data.
SUBJECT = r"(?:(?!sub-|derivatives/|sourcedata/)[^/]+/)*(?P<case>sub-[^/]+)"
DERIVATIVE = r"(?:.*/)?derivatives/(?:.*/)?(?P<case>sub-[^/]+)"
SESSION = r"(?:/(?P<session>ses-[^/]+))?"
LESION = re.compile(r"lesion.*|.*(?<!non)lesions?", re.IGNORECASE)
SUFFIXES = {"t1": "T1w", "t2": "T2w"}

# The folders anat of a subject by session; "" where there are no sessions.
Sessions = dict[str, list[str]]


def find_subjects(root: Path, options: SourceOptions) -> list[RawSubject]:
    """One subject per folder sub-*, named like it.

    Of several sessions the first by name is taken that has the most of the asked modalities, of
    several runs the first by name that has a lesion mask, or the first; the log says for which
    subjects. Scans with a contrast agent (`ce-`) are passed over. A lesion mask belongs to the same
    subject and session, and to no other run, acquisition or space than the scan's; lies in its
    folder anat or in one below derivatives/; has the entity `label-L`, or one whose value begins or
    ends with `lesion`; and ends in `_mask` or `_roi`.
    """
    tree = read_tree(root)
    scans, masks = _sessions(tree, SUBJECT), _sessions(tree, DERIVATIVE)
    subjects = []
    passed_over = 0
    for subject, folders in cases(tree, SUBJECT).items():
        if len(folders) > 1:
            problem = several([root / folder for folder in folders])
            subjects.append(RawSubject(subject, {}, problem=problem))
            continue
        stems, others = _choose(
            tree,
            subject,
            scans=scans.get(subject, {}),
            masks=masks.get(subject, {}),
            modalities=options.modalities,
        )
        subjects.append(raw_subject(tree, subject, stems))
        if others:
            passed_over += 1
            job.log(f"{subject}: passed over {', '.join(others)}")
    if passed_over:
        job.log(f"subjects with scans or masks that were passed over: {passed_over}")
    return subjects


def _choose(
    tree: Tree, subject: str, *, scans: Sessions, masks: Sessions, modalities: Sequence[str]
) -> tuple[dict[str, list[str]], list[str]]:
    """The stems of each role in the chosen session, and those that were passed over."""
    found = {
        session: {modality: _scans(tree, anat, subject, modality) for modality in modalities}
        for session, (anat,) in sorted(scans.items())
    }
    if not found:
        return {}, []
    # ASSUME: one session stands for a subject, the first of those with the most asked modalities.
    session = max(found, key=lambda name: sum(map(bool, found[name].values())))
    folders = [*scans[session], *masks.get(session, [])]
    lesions = [stem for anat in folders for stem in _lesion_masks(tree, anat, subject)]
    chosen = {
        modality: sorted(stems, key=lambda scan: not _fitting(lesions, [scan]))[:1]
        for modality, stems in found[session].items()
    }
    taken = [stem for stems in chosen.values() for stem in stems]
    fitting = _fitting(lesions, taken)
    others = [
        *(
            stem
            for of_session in found.values()
            for stems in of_session.values()
            for stem in stems
            if stem not in taken
        ),
        *(mask for mask in lesions if mask not in fitting),
    ]
    return {**chosen, "seg": fitting}, others


def _fitting(masks: Sequence[str], scans: Sequence[str]) -> list[str]:
    """The masks that can be one of the scans': what a mask says of its scan is so of that one."""

    def fits(mask: dict[str, str], scan: dict[str, str]) -> bool:
        # A scan need not name the space it lies in, whereas run and acquisition are in its name.
        told = [e for e in ("run", "acq", "space") if e in mask and (e in scan or e != "space")]
        return all(mask[entity] == scan.get(entity) for entity in told)

    return [mask for mask in masks if any(fits(_entities(mask), _entities(scan)) for scan in scans)]


def _entities(stem: str) -> dict[str, str]:
    """The values by entity of a name; a word without entity stands for itself."""
    words = stem.rpartition("/")[2].split("_")
    return {word.partition("-")[0]: word.partition("-")[2] or word for word in words}


def _sessions(tree: Tree, pattern: str) -> dict[str, Sessions]:
    sessions: dict[str, Sessions] = {}
    for match in tree.folders(f"{pattern}{SESSION}/anat"):
        of_subject = sessions.setdefault(match["case"], {})
        of_subject.setdefault(match["session"] or "", []).append(match[0])
    return sessions


def _scans(tree: Tree, anat: str, subject: str, modality: str) -> list[str]:
    # ASSUME: a scan with a contrast agent shows other tissue bright, so it is never taken for the
    # plain scan.
    return _named(tree, anat, rf"{re.escape(subject)}_(?!(?:.*_)?ce-)(?:.*_)?{SUFFIXES[modality]}")


def _lesion_masks(tree: Tree, anat: str, subject: str) -> list[str]:
    masks = _named(tree, anat, rf"{re.escape(subject)}_.*_(?:mask|roi)")
    return [mask for mask in masks if _marks_lesions(_entities(mask))]


def _marks_lesions(entities: dict[str, str]) -> bool:
    values = [value for entity, value in entities.items() if entity not in ("sub", "ses")]
    return entities.get("label") == "L" or any(map(LESION.fullmatch, values))


def _named(tree: Tree, anat: str, name: str) -> list[str]:
    return [stem for stem in tree.stems_in(anat) if re.fullmatch(name, stem.rpartition("/")[2])]
