"""Volumes computed from the scans of a cohort: reconstructions and anomaly maps, and their files.

They are written and read one volume at a time, so that memory holds no more.
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
# Measures of an anomaly map before its post-processing.
MEASURES = ("mean_residual", "l1_ratio", "l1_ratio_released")


@dataclass(frozen=True)
class ComputedVolumes:
    """A volume of each of N scans, which stays in the file until it is read.

    names     text [N], of the scans
    volumes   [N, S, H, W], or [N, K, S, H, W] for K samples of a reconstruction
    measures  of anomaly maps: float64 [N] by the names of MEASURES; NaN where one is not defined
    pictured  of anomaly maps: float32 [N, H, W], the slice of the reconstruction with the most
              lesion, so that figures need no reconstructions; [0, H, W] without a model
    """

    path: Path
    names: np.ndarray
    volumes: StoredArray
    measures: Mapping[str, np.ndarray]
    pictured: np.ndarray | None = None

    @property
    def has_samples(self) -> bool:
        """Whether there are several samples of each volume."""
        return self.volumes.ndim == 5

    def volume(self, row: int) -> np.ndarray:
        """A volume as float32 [S, H, W]; the mean if there are several samples."""
        return mean_of_samples(self.volumes[row])

    def samples(self, row: int) -> np.ndarray:
        """The samples float32 [K, S, H, W] of a volume; [S, H, W] if there is only one."""
        return self.volumes[row]

    def measures_of(self, name: str) -> dict[str, float]:
        """The measures of a scan by their names; SettingsError if the file lacks it."""
        (row,) = self.rows_of([name])
        return {measure: float(values[row]) for measure, values in self.measures.items()}

    def pictured_of(self, name: str) -> np.ndarray | None:
        """The pictured slice [H, W] of a scan's reconstruction; None without a model."""
        (row,) = self.rows_of([name])
        return self.pictured[row] if len(self.pictured) else None

    def rows_of(self, names: Sequence[str]) -> list[int]:
        """The rows of the scans of these names; SettingsError if the file lacks one."""
        row_of = {name: row for row, name in enumerate(self.names.tolist())}
        if lacking := [name for name in names if name not in row_of]:
            raise SettingsError(
                f"{self.path} lacks {', '.join(lacking)}; delete it and run again, then it is made "
                "again"
            )
        return [row_of[name] for name in names]


def mean_of_samples(volume: np.ndarray) -> np.ndarray:
    """The mean [S, H, W] of samples [K, S, H, W] of a volume; a single one [S, H, W] unchanged."""
    return volume if volume.ndim == 3 else volume.mean(axis=0)


def deviation_of_samples(volume: np.ndarray) -> np.ndarray | None:
    """The standard deviation [S, H, W] of samples [K, S, H, W]; None for a single one [S, H, W]."""
    return None if volume.ndim == 3 else volume.std(axis=0, ddof=1)


class ScansWithVolumes(Sequence[tuple[Scan, np.ndarray | None]]):
    """Scans, each with its volume float32 [S, H, W], which is read when the pair is accessed.

    all_samples  give all samples [K, S, H, W] of a volume, if there are several, and not their mean
    """

    def __init__(
        self,
        scans: Sequence[Scan],
        computed: ComputedVolumes | None,
        rows: Sequence[int],
        *,
        all_samples: bool,
    ) -> None:
        self.scans = scans
        self._computed = computed
        self._rows = rows
        self._all_samples = all_samples

    def __len__(self) -> int:
        return len(self.scans)

    def __getitem__(self, number: int) -> tuple[Scan, np.ndarray | None]:
        scan = self.scans[number]
        if self._computed is None:
            return scan, None
        read = self._computed.samples if self._all_samples else self._computed.volume
        return scan, read(self._rows[number])


def scans_with(
    stack: SliceStack,
    computed: ComputedVolumes | None,
    names: Sequence[str],
    *,
    all_samples: bool = False,
) -> ScansWithVolumes:
    """Pair the scans of these names with their volumes, in the given order.

    Scans that the stack lacks (left out in preprocessing) are skipped and logged in one line. If
    `computed` is None (for a method without a model), the volumes are None. Raises SettingsError if
    the file lacks a scan of the stack.
    """
    scans = stack.scans(names)
    present = [scan.name for scan in scans]
    if absent := [name for name in names if name not in set(present)]:
        log(f"left out in preprocessing, so not scored: {', '.join(absent)}")
    rows = [] if computed is None else computed.rows_of(present)
    return ScansWithVolumes(scans, computed, rows, all_samples=all_samples)


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
    arrays = open_arrays(path, ["names", name, *measures])
    names, volumes = np.asarray(arrays["names"]), arrays[name]
    if len(names) != len(volumes):
        raise SettingsError(
            f"{path} holds {len(names)} names and {len(volumes)} {name}; delete it and run "
            "again, then it is made again"
        )
    return ComputedVolumes(
        path, names, volumes, {measure: np.asarray(arrays[measure]) for measure in measures}
    )


def write_reconstructions(
    path: Path,
    names: Sequence[str],
    volumes: Iterable[np.ndarray],
    *,
    shape: Sequence[int],
    samples: int = 1,
) -> None:
    """Write the reconstructions [S, H, W] of scans one after the other, as npz, atomically.

    The file holds names [N] and reconstructions [N, S, H, W]; shape is (S, H, W). With several
    samples the reconstructions are [K, S, H, W] and [N, K, S, H, W].
    """
    shape = shape if samples == 1 else (samples, *shape)
    _write(path, names, RECONSTRUCTIONS, ((volume, {}, None) for volume in volumes), shape)


def write_anomaly_maps(
    path: Path,
    names: Sequence[str],
    maps: Iterable[tuple[np.ndarray, Mapping[str, float], np.ndarray | None]],
    *,
    shape: Sequence[int],
) -> None:
    """Write the anomaly maps [S, H, W] of scans one after the other, with measures and picture.

    The npz holds names [N], anomaly_maps [N, S, H, W], float64 [N] for each of MEASURES, and
    pictured, see `ComputedVolumes`.
    """
    _write(path, names, ANOMALY_MAPS, maps, shape, MEASURES)


def _write(
    path: Path,
    names: Sequence[str],
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

    whole = (len(names), *shape)
    # Most of an anomaly map is zeros, which compress well. Higher levels save at most a percent.
    compressed = {"compression": zipfile.ZIP_DEFLATED, "compresslevel": 1}
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", **compressed) as archive:
        write_array(archive, "names", np.array(names, dtype=str))
        write_rows(archive, name, volumes(), shape=whole, dtype=np.dtype(np.float32))
        for measure, values in found.items():
            write_array(archive, measure, np.array(values, np.float64))
        if measures:
            slices = np.array(pictured, np.float32).reshape(-1, *shape[1:])
            write_array(archive, PICTURED, slices)
