"""The packed volumes of one cohort, as training and scoring read them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from brainuad.images.mask_labels import LESION
from brainuad.io.job import replacing
from brainuad.io.scan_names import scan_name
from brainuad.io.stored_arrays import StoredArray, open_arrays


@dataclass(frozen=True)
class SliceStack:
    """N volumes of S axial slices each; a slice array is the volume transposed to (z, x, y).

    images       float32 [N, S, H, W], 0 to 1 between two percentiles of the brain; splines
                 overshoot these a little, and reach beyond the brain
    brain_masks  bool [N, S, H, W]
    lesions      uint8 [N, S, H, W]: 0 no lesion, 1 lesion, 2 ignored (not scored)
    subjects     text [N]
    sessions     text [N], "" if the data set has none; None if no scan has one
    affines      float64 [N, 4, 4]: voxel (x, y, z) of the volume to RAS millimetres
    native_voxel_ml  float64 [N]: volume of a voxel in the scan's own space, before registration
                 changed the size of the head; NaN if it is unknown, None if it is for all scans

    The volumes may be StoredArrays, which read a volume from the file at each access.
    """

    images: np.ndarray | StoredArray
    brain_masks: np.ndarray | StoredArray
    lesions: np.ndarray | StoredArray
    subjects: np.ndarray
    affines: np.ndarray
    native_voxel_ml: np.ndarray | None = None
    sessions: np.ndarray | None = None

    def __post_init__(self) -> None:
        shape = self.images.shape
        if self.sessions is None:
            object.__setattr__(self, "sessions", np.full(shape[0], ""))
        if self.native_voxel_ml is None:
            object.__setattr__(self, "native_voxel_ml", np.full(shape[0], np.nan))
        if self.images.ndim != 4:
            raise ValueError(f"images must be [N, S, H, W], got shape {shape}")
        for name in ("brain_masks", "lesions"):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, images {shape}")
        if not len(self.subjects) == len(self.sessions) == shape[0]:
            raise ValueError(f"{shape[0]} volumes need as many subjects and sessions")
        if self.affines.shape != (shape[0], 4, 4):
            raise ValueError(f"{shape[0]} volumes need as many 4x4 affines")
        if self.native_voxel_ml.shape != shape[:1]:
            raise ValueError(f"{shape[0]} volumes need as many volumes of a voxel")
        if len(set(self.names)) != len(self.names):
            raise ValueError("a scan appears twice in the stack")

    @property
    def names(self) -> list[str]:
        """The names of the N scans, see `scan_name`."""
        pairs = zip(self.subjects.tolist(), self.sessions.tolist(), strict=True)
        return [scan_name(subject, session) for subject, session in pairs]

    def has_native_size(self, row: int) -> bool:
        """Whether the volume of a voxel in the scan's own space is known."""
        return bool(np.isfinite(self.native_voxel_ml[row]))

    def voxel_ml(self, row: int) -> float:
        """Volume of a voxel in ml: in the scan's own space if it is known, or else on this grid."""
        if self.has_native_size(row):
            return float(self.native_voxel_ml[row])
        return abs(float(np.linalg.det(self.affines[row][:3, :3]))) / 1000

    def scans(self, names: Sequence[str]) -> "list[Scan]":
        """The scans of these names, in the given order; those not in the stack are skipped."""
        return [Scan(self, row) for row in self._rows(names)]

    def select(self, names: Sequence[str]) -> "SliceStack":
        """A stack in memory with the scans of these names, in the given order.

        Scans that are not in the stack are skipped.
        """
        rows = self._rows(names)
        return SliceStack(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def _rows(self, names: Sequence[str]) -> list[int]:
        row_of = {name: row for row, name in enumerate(self.names)}
        return [row_of[name] for name in names if name in row_of]


@dataclass(frozen=True)
class Scan:
    """A scan of a stack; its arrays [S, H, W] and [4, 4] are as in SliceStack.

    Volumes in a file are read at each access, and not kept.
    """

    stack: SliceStack
    row: int

    @property
    def subject(self) -> str:
        return str(self.stack.subjects[self.row])

    @property
    def session(self) -> str:
        """The session, "" if the data set has none."""
        return str(self.stack.sessions[self.row])

    @property
    def name(self) -> str:
        return scan_name(self.subject, self.session)

    @property
    def image(self) -> np.ndarray:
        return self.stack.images[self.row]

    @property
    def brain_mask(self) -> np.ndarray:
        return self.stack.brain_masks[self.row]

    @property
    def lesions(self) -> np.ndarray:
        return self.stack.lesions[self.row]

    @property
    def affine(self) -> np.ndarray:
        return self.stack.affines[self.row]

    @property
    def voxel_ml(self) -> float:
        return self.stack.voxel_ml(self.row)


def largest_lesion_slice(lesions: np.ndarray) -> int:
    """The index of the axial slice of lesions [S, H, W] with the most voxels of label 1."""
    return int(np.argmax((np.asarray(lesions) == LESION).sum(axis=(1, 2))))


def read_slices(path: Path) -> SliceStack:
    """Open a stack written by `write_slices`; its volumes stay in the file until they are used.

    Raises SettingsError for a file that can't be read.
    """
    arrays = open_arrays(path, [field.name for field in fields(SliceStack)])
    small = ("subjects", "affines", "native_voxel_ml", "sessions")
    in_memory = {name: np.asarray(arrays[name]) for name in small}
    return SliceStack(**{**arrays, **in_memory})


def write_slices(stack: SliceStack, path: Path) -> None:
    """Write the stack as an uncompressed npz, atomically."""
    with replacing(path) as temporary:
        np.savez(temporary, **{field.name: getattr(stack, field.name) for field in fields(stack)})
