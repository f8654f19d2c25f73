"""Volumes computed from the scans of a cohort: reconstructions and anomaly maps, and their files.

They are written and read a volume at a time: no more is held in memory.
"""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from brainuad.images.slices import Scan, SliceStack
from brainuad.io.errors import SettingsError
from brainuad.io.job import log, replacing
from brainuad.io.stored_arrays import StoredArray, open_arrays, write_array, write_rows

RECONSTRUCTIONS, ANOMALY_MAPS, PICTURED = "reconstructions", "anomaly_maps", "pictured"
# Of an anomaly map before its post-processing.
MEASURES = ("mean_residual", "l1_ratio", "l1_ratio_released")


@dataclass(frozen=True)
class ComputedVolumes:
    """A volume of each of N subjects, which stays in the file until it is read.

    subjects  text [N]
    volumes   [N, S, H, W]
    measures  float64 [N] by the names of MEASURES, of anomaly maps; NaN where one is not defined
    pictured  float32 [N, H, W], of anomaly maps: the reconstruction where the lesion is largest,
              so that pictures need no reconstructions; [0, H, W] of a method without a model
    """

    path: Path
    subjects: np.ndarray
    volumes: StoredArray
    measures: Mapping[str, np.ndarray]
    pictured: np.ndarray | None = None

    def volume(self, row: int) -> np.ndarray:
        """A volume as float32 [S, H, W]."""
        return self.volumes[row]

    def measures_of(self, subject: str) -> dict[str, float]:
        """The measures of a subject by their names; SettingsError if the file lacks it."""
        (row,) = self.rows_of([subject])
        return {name: float(values[row]) for name, values in self.measures.items()}

    def pictured_of(self, subject: str) -> np.ndarray | None:
        """The pictured slice [H, W] of a subject's reconstruction; None without a model."""
        (row,) = self.rows_of([subject])
        return self.pictured[row] if len(self.pictured) else None

    def rows_of(self, subjects: Sequence[str]) -> list[int]:
        """The rows of the subjects; SettingsError if the file lacks one."""
        row_of = {subject: row for row, subject in enumerate(self.subjects.tolist())}
        if lacking := [subject for subject in subjects if subject not in row_of]:
            raise SettingsError(
                f"{self.path} holds nothing of {', '.join(lacking)}; delete it and run again, then "
                "it is made anew"
            )
        return [row_of[subject] for subject in subjects]


class ScansWithVolumes(Sequence[tuple[Scan, np.ndarray | None]]):
    """Scans, each with its volume float32 [S, H, W], which is read when the pair is asked for."""

    def __init__(
        self, scans: Sequence[Scan], computed: ComputedVolumes | None, rows: Sequence[int]
    ) -> None:
        self.scans = scans
        self._computed = computed
        self._rows = rows

    def __len__(self) -> int:
        return len(self.scans)

    def __getitem__(self, number: int) -> tuple[Scan, np.ndarray | None]:
        scan = self.scans[number]
        if self._computed is None:
            return scan, None
        return scan, self._computed.volume(self._rows[number])


def scans_with(
    stack: SliceStack, computed: ComputedVolumes | None, subjects: Sequence[str]
) -> ScansWithVolumes:
    """Pair the scans of subjects with their volumes, in the order given.

    Subjects that the stack lacks (left out in preprocessing) are skipped and logged in one line.
    Where nothing was computed (None: a method without a model), the volumes are None. Raises
    SettingsError if the file lacks a subject of the stack.
    """
    scans = stack.scans(subjects)
    present = [scan.subject for scan in scans]
    if absent := [subject for subject in subjects if subject not in set(present)]:
        log(f"left out in preprocessing, so not scored: {', '.join(absent)}")
    return ScansWithVolumes(scans, computed, [] if computed is None else computed.rows_of(present))


def read_reconstructions(path: Path) -> ComputedVolumes:
    """What `write_reconstructions` wrote; SettingsError for a file that can't be read."""
    return _read(path, RECONSTRUCTIONS)


def read_anomaly_maps(path: Path) -> ComputedVolumes:
    """What `write_anomaly_maps` wrote; SettingsError for a file that can't be read."""
    computed = _read(path, ANOMALY_MAPS, (*MEASURES, PICTURED))
    measures = dict(computed.measures)
    pictured = measures.pop(PICTURED)
    return replace(computed, measures=measures, pictured=pictured)


def _read(path: Path, name: str, measures: Sequence[str] = ()) -> ComputedVolumes:
    arrays = open_arrays(path, ["subjects", name, *measures])
    subjects, volumes = np.asarray(arrays["subjects"]), arrays[name]
    if len(subjects) != len(volumes):
        raise SettingsError(
            f"{path} holds {len(subjects)} subjects and {len(volumes)} {name}; delete it and run "
            "again, then it is made anew"
        )
    return ComputedVolumes(
        path, subjects, volumes, {measure: np.asarray(arrays[measure]) for measure in measures}
    )


def write_reconstructions(
    path: Path, subjects: Sequence[str], volumes: Iterable[np.ndarray], *, shape: Sequence[int]
) -> None:
    """Write the reconstructions [S, H, W] of subjects as they come, as npz, atomically.

    The file holds subjects [N] and reconstructions [N, S, H, W]; shape is (S, H, W).
    """
    _write(path, subjects, RECONSTRUCTIONS, ((volume, {}, None) for volume in volumes), shape)


def write_anomaly_maps(
    path: Path,
    subjects: Sequence[str],
    maps: Iterable[tuple[np.ndarray, Mapping[str, float], np.ndarray | None]],
    *,
    shape: Sequence[int],
) -> None:
    """Write the anomaly maps [S, H, W] of subjects, with measures and pictured slice, as they come.

    The npz holds subjects [N], anomaly_maps [N, S, H, W], float64 [N] of each of MEASURES, and
    what is pictured, see `ComputedVolumes`.
    """
    _write(path, subjects, ANOMALY_MAPS, maps, shape, MEASURES)


def _write(
    path: Path,
    subjects: Sequence[str],
    name: str,
    computed: Iterable[tuple[np.ndarray, Mapping[str, float], np.ndarray | None]],
    shape: Sequence[int],
    measures: Sequence[str] = (),
) -> None:
    found: dict[str, list[float]] = {measure: [] for measure in measures}
    pictured: list[np.ndarray] = []

    def volumes() -> Iterable[np.ndarray]:
        for volume, values, picture in computed:
            if picture is not None:
                pictured.append(picture)
            for measure in measures:
                found[measure].append(values[measure])
            yield volume

    whole = (len(subjects), *shape)
    # Zeros cost nothing so, which most of an anomaly map is. Higher levels save a percent at most.
    compressed = {"compression": zipfile.ZIP_DEFLATED, "compresslevel": 1}
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", **compressed) as archive:
        write_array(archive, "subjects", np.array(subjects, dtype=str))
        write_rows(archive, name, volumes(), shape=whole, dtype=np.dtype(np.float32))
        for measure, values in found.items():
            write_array(archive, measure, np.array(values, np.float64))
        if measures:
            slices = np.array(pictured, np.float32).reshape(-1, *shape[1:])
            write_array(archive, PICTURED, slices)
