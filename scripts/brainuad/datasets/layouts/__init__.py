"""Raw layouts of data sets: which file is which scan of which subject.

There is one module per layout, found by its name, so a new layout is one new file. It defines

LAYOUT         a `Layout`
find_subjects  (root, options) -> list of RawSubject, sorted by subject, no scan opened
"""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

from brainuad.config.modalities import check_modality
from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.io.folders import walk
from brainuad.io.formats import ARCHIVES
from brainuad.io.names import why_taken_for_pattern
from brainuad.io.scan_names import scan_name

# Files in the folder of a chunk, next to the folders of its scans.
RESERVED_NAMES = ("left_out.tsv",)


@dataclass(frozen=True)
class LayoutOptions:
    """What the config says about the files of a data set.

    modalities  those that are wanted, such as t1, flair
    lesions     whether lesion masks are wanted
    files       layout `files`: pattern by role (a modality, or seg)
    table       layout `table`: name of the table in the downloads or in the root
    part        layout `preprocessed`: folder of the archive
    downloads   the folder as downloaded, if it is not the root
    """

    modalities: tuple[str, ...]
    lesions: bool = False
    files: dict[str, str] | None = None
    table: str | None = None
    part: str | None = None
    downloads: Path | None = None


@dataclass(frozen=True)
class RawSubject:
    """One subject of a raw tree, or a subject at one session if there are sessions.

    session     "" if the layout has none
    scans       file by modality, if the file exists
    seg         lesion mask, None if the file does not exist or the data set has none
    brain_mask  only if the scans come preprocessed
    age         years; sex "f" or "m"; site hospital, scanner or cohort; None if unknown
    problem     why none of its files can be used, or ""
    problems    why one file cannot be used, by role: a modality, seg, brain_mask
    """

    subject: str
    scans: dict[str, Path]
    seg: Path | None = None
    brain_mask: Path | None = None
    age: float | None = None
    sex: str | None = None
    site: str | None = None
    problem: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    session: str = ""

    @property
    def name(self) -> str:
        return scan_name(self.subject, self.session)


@dataclass(frozen=True)
class LesionLabels:
    """What the labels of a data set's lesion masks mean, except for 0.

    lesion   count as lesion
    ignored  are not scored
    known    all labels of the masks; those in neither of the two others count as healthy
    """

    lesion: frozenset[int]
    ignored: frozenset[int]
    known: frozenset[int]


@dataclass(frozen=True)
class Layout:
    """What is known about the files of a layout.

    expected             the files, in words, for messages
    modalities           the name of each modality in file names; None if there may be any modality
    lesions              the labels of a lesion mask that count as lesion, if the config names none
    ignored              the labels that are not scored, if the config names none
    fixed_labels         whether a mask has only these labels (and 0)
    lesions_on_own_grid  whether a lesion mask may have another grid than its scan
    brain_masks          whether the scans come preprocessed, each with a brain mask
    demographics         names of tables with age and sex that are read if they exist
    """

    expected: str
    modalities: Mapping[str, str] | None = None
    lesions: frozenset[int] = frozenset({1})
    ignored: frozenset[int] = frozenset()
    fixed_labels: bool = False
    lesions_on_own_grid: bool = False
    brain_masks: bool = False
    demographics: tuple[str, ...] = ()


def load_layout(layout: str) -> Layout:
    """What is known about a layout; SettingsError for an unknown one."""
    return _module_of(layout).LAYOUT


def _module_of(layout: str) -> ModuleType:
    known = sorted(
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    )
    if layout not in known:
        raise SettingsError(f"the layout {layout!r} is unknown; known are {', '.join(known)}")
    return importlib.import_module(f"{__name__}.{layout}")


def check_modalities(layout: str, modalities: Sequence[str]) -> None:
    """Raise SettingsError for a word that is not a modality, or not one of the layout."""
    known = load_layout(layout).modalities
    for modality in modalities:
        check_modality(modality)
        if known is not None and modality not in known:
            shown = ", ".join(f"{name} ({files})" for name, files in known.items())
            raise SettingsError(
                f"modalities: the layout {layout} has no {modality!r}; it has {shown}. The layouts "
                "files and table take any"
            )


def labels_of(
    layout: Layout,
    lesion_labels: Collection[int] | None,
    ignored_labels: Collection[int] | None,
) -> LesionLabels:
    """The labels that the config names; None means those of the layout.

    A label of the layout may be in neither list, to study only a part of the tumour; it is logged.
    Raises SettingsError for a label in both lists or one that the layout never has, and if no label
    is left that counts as lesion.
    """
    lesions, ignored = frozenset(lesion_labels or ()), frozenset(ignored_labels or ())
    if both := lesions & ignored:
        raise SettingsError(
            f"the label {min(both)} is in lesion_labels and in ignored_labels; keep it in one"
        )
    own = layout.lesions | layout.ignored
    if layout.fixed_labels and (unknown := (lesions | ignored) - own):
        raise SettingsError(
            f"lesion_labels or ignored_labels names {min(unknown)}, but the lesion masks of this "
            f"layout hold only {', '.join(map(str, sorted(own)))}; name those, or leave both out"
        )
    if lesion_labels is None:
        lesions = layout.lesions - ignored
    if ignored_labels is None:
        ignored = layout.ignored - lesions
    if not lesions:
        raise SettingsError("ignored_labels leaves no label that counts as lesion; shorten it")
    known = own if layout.fixed_labels else lesions | ignored
    if neither := sorted(known - lesions - ignored):
        shown = ", ".join(map(str, neither))
        job.log(f"labels in neither lesion_labels nor ignored_labels count as healthy: {shown}")
    return LesionLabels(lesion=lesions, ignored=ignored, known=known)


def find_subjects(layout: str, root: Path, options: LayoutOptions) -> list[RawSubject]:
    """All subjects under a root; SettingsError, which names root and layout, if there are none.

    Raises SettingsError like `check_modalities`.
    """
    expected = load_layout(layout).expected
    check_modalities(layout, options.modalities)
    if not root.is_dir():
        raise SettingsError(
            f"the data root {root} does not exist; set it to the folder that holds {expected}"
        )
    packed = _archives_below(root)
    if packed:
        job.log(f"archives under {root} that are not unpacked: {', '.join(packed)}")
    try:
        subjects = _module_of(layout).find_subjects(root, options)
        if not subjects:
            raise SettingsError(f"no scans under {root}; expected {expected}")
    except SettingsError as error:
        if not packed:
            raise
        shown = ", ".join(packed[:3]) + (" and more" if len(packed) > 3 else "")
        # If archives were unpacked, the root is not the folder of the downloads.
        if options.downloads not in (None, root):
            todo = (
                "they came inside an archive; unpack that one yourself, and name them in archives "
                "in its place"
            )
        else:
            todo = "name them in archives, or unpack them"
        raise SettingsError(f"{error}. There are archives: {shown}; {todo}") from None
    counts = Counter(raw.name for raw in subjects)
    return [_with_usable_names(raw, unique=counts[raw.name] == 1) for raw in subjects]


def why_no_name(name: str) -> str:
    """Why a scan's name cannot be the name of a folder of the workflow; "" if it can."""
    if name.startswith(".") or not name.isprintable() or {"/", "\\"} & set(name):
        return f"the subject {name!r} cannot name a folder; rename it"
    if name in RESERVED_NAMES:
        return f"the subject {name!r} has the name of a file of the workflow; rename it"
    return ""


def _with_usable_names(raw: RawSubject, *, unique: bool) -> RawSubject:
    """The subject, with a problem if its name, or the name of one of its files, cannot be used."""
    files = {**raw.scans, "seg": raw.seg, "brain_mask": raw.brain_mask}
    reasons = {role: _why_no_path(str(file)) for role, file in files.items() if file}
    problems = {
        role: f"{_printable(str(files[role]))}: {reason}"
        for role, reason in reasons.items()
        if reason
    }
    twice = "" if unique else f"two scans would be called {raw.name!r}; rename the subject of one"
    return replace(
        raw,
        subject=_printable(raw.subject),
        session=_printable(raw.session),
        scans={role: file for role, file in raw.scans.items() if role not in problems},
        seg=None if "seg" in problems else raw.seg,
        brain_mask=None if "brain_mask" in problems else raw.brain_mask,
        problem=raw.problem or why_no_name(raw.name) or twice,
        problems={**raw.problems, **problems},
    )


def _why_no_path(path: str) -> str:
    if path != _printable(path):
        return "has a name that is not UTF-8; rename it"
    return why_taken_for_pattern(path)


def _printable(name: str) -> str:
    """The name of a file, with escapes for bytes that are not UTF-8."""
    return name.encode(errors="backslashreplace").decode()


def _archives_below(root: Path) -> list[str]:
    """The archives in the folders below a root, as paths below it, sorted."""
    return sorted(
        Path(folder, file).relative_to(root).as_posix()
        for folder, files in walk(root)
        for file in files
        if file.lower().endswith(ARCHIVES)
    )
