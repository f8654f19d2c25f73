"""The distribution of healthy subjects' anomaly maps, which a patient's map is compared with."""

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainuad.images.distributions import pool
from brainuad.io.job import replacing
from brainuad.io.stored_arrays import open_arrays, write_array


@dataclass(frozen=True)
class HealthyResiduals:
    """The anomaly maps of N healthy scans, in the space of the template.

    mean           float32 [S, H, W] over scans
    deviation      float32 [S, H, W], the standard deviation over scans (N - 1); NaN for one scan
    mean_residual  float64 [N], of each scan's brain before post-processing
    affine         float64 [4, 4]: voxel (x, y, z) to RAS millimetres; a slice stack is (z, x, y)
    """

    mean: np.ndarray
    deviation: np.ndarray
    mean_residual: np.ndarray
    affine: np.ndarray

    def percentile_of(self, mean_residual: float) -> float:
        """The percentage of healthy scans whose mean residual is at most this one."""
        return float(100 * np.mean(self.mean_residual <= mean_residual))


def summarize_maps(
    maps: Iterable[np.ndarray], affines: Sequence[np.ndarray], mean_residual: Sequence[float]
) -> HealthyResiduals:
    """Pool anomaly maps [S, H, W], which are read once and one at a time, with affines [4, 4].

    Raises SettingsError if there is no map.
    """
    pooled = pool(maps, affines, [""] * len(affines))
    return HealthyResiduals(
        mean=pooled.mean,
        deviation=pooled.deviation,
        mean_residual=np.array(mean_residual, np.float64),
        affine=pooled.affine,
    )


def write_healthy_residuals(residuals: HealthyResiduals, path: Path) -> None:
    """Write the arrays under their names as npz, atomically; equal arrays give equal bytes."""
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in vars(residuals).items():
            write_array(archive, name, np.ascontiguousarray(array))


def read_healthy_residuals(path: Path) -> HealthyResiduals:
    """Read what `write_healthy_residuals` wrote; SettingsError for a file that can't be read."""
    arrays = open_arrays(path, HealthyResiduals.__dataclass_fields__)
    return HealthyResiduals(**{name: np.asarray(array) for name, array in arrays.items()})
