"""The subject table: the scans that can be used, after all files were read."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from brainuad.datasets.layouts import RawSubject
from brainuad.images.geometry import labels_on, to_ras
from brainuad.images.volumes import (
    Volume,
    check_same_axes,
    check_same_grid,
    read_labels,
    read_mask,
    read_volume,
    whole_numbers,
)
from brainuad.io.errors import ScanError, SettingsError
from brainuad.io.tables import DIGEST

OK, PARTIAL, LEFT_OUT = "ok", "partial", "left_out"


@dataclass(frozen=True)
class Expected:
    """What the subjects of a data set are checked for.

    modalities           those that are wanted
    lesions              whether each subject needs a lesion mask
    labels               labels that a lesion mask may have besides 0
    lesion_labels        those of them that count as lesion
    lesions_on_own_grid  whether the mask may have another grid than its scan
    brain_masks          whether the scans come preprocessed, each with a brain mask
    exclude              names of subjects, or of scans of one session, that are not wanted
    """

    modalities: Sequence[str]
    lesions: bool
    labels: frozenset[int]
    lesion_labels: frozenset[int]
    lesions_on_own_grid: bool
    brain_masks: bool
    exclude: frozenset[str]


@dataclass(frozen=True)
class Checked:
    """A subject (at one session, if there are sessions) after its files were read.

    usable     the wanted modalities that can be used
    reason     why others, or the whole subject, cannot be used; "" if all can
    broken     whether a file is damaged, rather than missing, ambiguous or not wanted
    lesion_ml  volume of the lesions, None if no lesion mask was read
    digests    the digest of each usable scan's voxels, by modality
    """

    raw: RawSubject
    usable: Sequence[str] = ()
    reason: str = ""
    broken: bool = False
    lesion_ml: float | None = None
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """ok, partial (some of the wanted modalities are missing or broken), or left_out."""
        if not self.usable:
            return LEFT_OUT
        return PARTIAL if self.reason else OK


def check_subjects(
    subjects: Sequence[RawSubject], expected: Expected, *, threads: int
) -> list[Checked]:
    """Read every wanted scan and mask in full once, and note what is missing or broken.

    Raises SettingsError if a name of `expected.exclude` is neither a subject nor a scan.
    """
    known = {name for raw in subjects for name in (raw.subject, raw.name)}
    if unknown := sorted(expected.exclude - known):
        raise SettingsError(
            f"exclude names {unknown[0]!r}, which is not a subject; a subject is called "
            f"{subjects[0].name!r}"
        )
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda raw: check_subject(raw, expected), subjects))


def check_subject(raw: RawSubject, expected: Expected) -> Checked:
    """Check one row: without its masks it is left out, without some of the modalities partial."""
    if expected.exclude & {raw.subject, raw.name}:
        return Checked(raw, reason="excluded by the config")
    if reason := raw.problem or _missing_mask(raw, expected):
        return Checked(raw, reason=reason)
    try:
        lesions = read_lesions(raw, expected) if expected.lesions else None
        brain_mask = read_brain_mask(raw) if expected.brain_masks else None
    except ScanError as error:
        return Checked(raw, reason=str(error), broken=True)
    digests, reasons, broken = {}, [], False
    for modality in expected.modalities:
        if modality in raw.problems:
            reasons.append(raw.problems[modality])
        elif modality not in raw.scans:
            reasons.append(f"no {modality} scan of this {_whose(raw)}")
        else:
            try:
                scan = read_volume(raw.scans[modality])
                _check_grids(raw, scan, lesions=lesions, brain_mask=brain_mask, expected=expected)
                digests[modality] = digest_of(scan)
            except ScanError as error:
                reasons.append(str(error))
                broken = True
    counts = Counter(digests.values())
    if twins := [str(raw.scans[name]) for name, digest in digests.items() if counts[digest] > 1]:
        shown = " and ".join(twins)
        return Checked(raw, reason=f"{shown} hold the same voxels; replace the wrong one")
    return Checked(
        raw,
        usable=list(digests),
        reason="; ".join(dict.fromkeys(reasons)),
        broken=broken,
        lesion_ml=None if lesions is None else _millilitres(lesions),
        digests=digests,
    )


def digest_of(scan: Volume) -> str:
    """A digest of the voxels that does not depend on voxel type, file format or order of axes.

    It does not depend on the scan's position in space either, nor on rounding: a scan that is read
    and saved as int16 again has other scale factors. So whole numbers are hashed as such; of other
    values the order from voxel to voxel, and the lowest one and the range to about four digits.
    """
    upright = to_ras(scan).data
    data = upright.ravel()
    low, high = float(data.min()), float(data.max())
    digest = hashlib.blake2b(str(upright.shape).encode(), digest_size=8)
    # 65,535 steps over such a range move no value by more than a fourth.
    if 100 < high - low < 30000 and np.abs(data - np.rint(data)).max() < 0.3:
        digest.update(np.rint(data).astype(np.int32))
        return digest.hexdigest()
    # Times pi, no whole number is halfway between two others, where rounding would decide.
    limits = f"{round(1e4 * low / (high - low))} {np.pi * (high - low):.4e}"
    digest.update(limits.encode())
    digest.update(np.packbits(data[1:] > data[:-1]))
    digest.update(np.packbits(data[1:] < data[:-1]))
    return digest.hexdigest()


def read_lesions(raw: RawSubject, expected: Expected) -> Volume:
    """The lesions in a subject's mask, bool [X, Y, Z]. Raises ScanError like `read_labels`.

    A mask of preprocessed scans may contain fractions; then all values above 0 are lesion.
    """
    if expected.brain_masks and not whole_numbers(read_mask(raw.seg).data).all():
        values = read_volume(raw.seg)
        return Volume(values.data > 0, values.affine)
    labels = read_labels(raw.seg, expected=expected.labels)
    return Volume(np.isin(labels.data, sorted(expected.lesion_labels)), labels.affine)


def read_brain_mask(raw: RawSubject) -> Volume:
    """The brain mask that came with preprocessed scans; ScanError if it is empty."""
    mask = read_mask(raw.brain_mask)
    if not (mask.data > 0).any():
        raise ScanError(f"{raw.brain_mask}: the brain mask is empty; replace the file")
    return mask


def subject_table(checked: Sequence[Checked], expected: Expected) -> pd.DataFrame:
    """One row per subject and session: names, files, facts, status, a digest per scan.

    The columns are `columns_of`. Cells of unwanted files and of a partial subject's missing scans
    are empty; the session is "" if there is none.
    """
    rows = []
    for entry in checked:
        raw = entry.raw
        shown = entry.usable or expected.modalities
        files = {
            **{modality: raw.scans.get(modality) for modality in shown},
            "seg": raw.seg if expected.lesions else None,
            "brain_mask": raw.brain_mask,
        }
        rows.append(
            {
                "subject": raw.subject,
                "session": raw.session,
                **{role: str(path) for role, path in files.items() if path is not None},
                "age": raw.age,
                "sex": raw.sex,
                "site": raw.site,
                "lesion_ml": entry.lesion_ml,
                "status": entry.status,
                "reason": " ".join(entry.reason.split()) or None,
                **{modality + DIGEST: digest for modality, digest in entry.digests.items()},
            }
        )
    return pd.DataFrame(rows).reindex(columns=columns_of(expected.modalities))


def columns_of(modalities: Sequence[str]) -> list[str]:
    """The columns of the subject table of a data set in these modalities, which are sorted."""
    # The data sets of the paper have the same columns, whether they have T1, T2 or both.
    pair = {"t1", "t2"}
    scans = sorted(pair if pair.issuperset(modalities) else modalities)
    return [
        *("subject", "session", *scans, "seg", "brain_mask", "age", "sex", "site", "lesion_ml"),
        *("status", "reason", *(modality + DIGEST for modality in scans)),
    ]


def modalities_of(table: pd.DataFrame) -> list[str]:
    """The modalities in the columns of a subject table."""
    return [column.removesuffix(DIGEST) for column in table if column.endswith(DIGEST)]


def _missing_mask(raw: RawSubject, expected: Expected) -> str:
    if expected.lesions and raw.seg is None:
        return raw.problems.get("seg", f"no lesion mask of this {_whose(raw)}")
    if expected.brain_masks and raw.brain_mask is None:
        return raw.problems.get("brain_mask", f"no brain mask of this {_whose(raw)}")
    return ""


def _whose(raw: RawSubject) -> str:
    return "session" if raw.session else "subject"


def _check_grids(
    raw: RawSubject,
    scan: Volume,
    *,
    lesions: Volume | None,
    brain_mask: Volume | None,
    expected: Expected,
) -> None:
    # ASSUME: a session has one lesion mask, for its scans in all modalities; a scan with another
    # grid than the mask cannot be used. If the layout allows a mask on another grid, the scans of
    # the data set are aligned to each other.
    for mask, path in ((lesions, raw.seg), (brain_mask, raw.brain_mask)):
        if mask is None:
            continue
        if expected.brain_masks:
            # ASSUME: the released volumes have the affine from before they were cropped to the
            # brain, so that their masks need not be at the same position.
            check_same_axes(mask, scan, name=str(path))
        elif expected.lesions_on_own_grid:
            try:
                labels_on(mask, scan)
            except ScanError as error:
                raise ScanError(f"{path}: {error}") from None
        else:
            check_same_grid(mask, scan, name=str(path))


def _millilitres(lesions: Volume) -> float:
    return round(float(np.count_nonzero(lesions.data) * lesions.voxel_ml), 6)
