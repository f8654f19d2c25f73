"""The distribution of volumes of healthy scans, voxel by voxel, in the space of the template."""

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from brainuad.io.errors import SettingsError
from brainuad.io.job import replacing
from brainuad.io.stored_arrays import open_arrays, write_array


@dataclass(frozen=True)
class Distribution:
    """Mean and standard deviation of each voxel over N scans.

    mean       float32 [S, H, W]
    deviation  float32 [S, H, W], with N - 1 in the denominator; NaN for a single scan
    names      text [N], of the scans
    affine     float64 [4, 4]: voxel (x, y, z) to RAS millimetres; a slice stack is (z, x, y)
    """

    mean: np.ndarray
    deviation: np.ndarray
    names: np.ndarray
    affine: np.ndarray

    def without(self, name: str, volume: np.ndarray, affine: np.ndarray) -> "Distribution":
        """The distribution without one of the scans, whose volume [S, H, W] was pooled.

        Raises SettingsError if fewer than two others remain.
        """
        others = self.names[self.names != name]
        if len(others) < 2:
            raise SettingsError(
                f"a deviation over the scans other than {name} needs two of them, and there are "
                f"{len(others)}; raise the number of healthy validation subjects"
            )
        moved = on_grid(volume, affine, self.affine).astype(np.float64)
        count = len(self.names)
        mean = (count * self.mean.astype(np.float64) - moved) / (count - 1)
        squares = self.deviation.astype(np.float64) ** 2 * (count - 1)
        # Welford's update, backwards. Rounding may give a value slightly below 0.
        squares = np.maximum(squares - (moved - self.mean) * (moved - mean), 0)
        return Distribution(
            mean.astype(np.float32),
            np.sqrt(squares / (len(others) - 1)).astype(np.float32),
            others,
            self.affine,
        )

    def at(self, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation on the grid of a scan with this affine; 0 outside the pooled grid."""
        return on_grid(self.mean, self.affine, affine), on_grid(self.deviation, self.affine, affine)


def pool(
    volumes: Iterable[np.ndarray], affines: Sequence[np.ndarray], names: Sequence[str]
) -> Distribution:
    """The distribution of volumes [S, H, W], which are read once and one at a time.

    Each volume has an affine [4, 4] and a name. Raises SettingsError if there is no volume.
    """
    if len(affines) == 0:
        raise SettingsError(
            "there is nothing to compare patients with: all healthy subjects were left out in "
            "preprocessing; results/slices/*_left_out.tsv says why"
        )
    # ASSUME: each scan's grid is cropped around its own brain, so that grids differ by a shift of a
    # few voxels. Healthy volumes are pooled on the median grid, by linear interpolation.
    affine = np.median(affines, axis=0)
    count = 0
    for volume, own in zip(volumes, affines, strict=True):
        moved = on_grid(volume, own, affine).astype(np.float64)
        if count == 0:
            mean, squares = np.zeros_like(moved), np.zeros_like(moved)
        # Welford's update needs one pass, and no difference of large sums.
        count += 1
        difference = moved - mean
        mean += difference / count
        squares += difference * (moved - mean)
    deviation = np.sqrt(squares / (count - 1)) if count > 1 else np.full(mean.shape, np.nan)
    return Distribution(
        mean.astype(np.float32), deviation.astype(np.float32), np.array(names, dtype=str), affine
    )


def on_grid(volume: np.ndarray, own: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """A volume [S, H, W] on a grid of the same shape with another affine; 0 outside its own."""
    steps = np.linalg.inv(own) @ affine
    moved = ndimage.affine_transform(
        volume.transpose(1, 2, 0),
        steps[:3, :3],
        offset=steps[:3, 3],
        order=1,
        mode="grid-constant",
    )
    return moved.transpose(2, 0, 1)


def write_distribution(distribution: Distribution, path: Path) -> None:
    """Write the arrays under their names as npz, atomically; equal arrays give equal bytes."""
    compressed = {"compression": zipfile.ZIP_DEFLATED, "compresslevel": 1}
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", **compressed) as archive:
        for name, array in vars(distribution).items():
            write_array(archive, name, np.ascontiguousarray(array))


def read_distribution(path: Path) -> Distribution:
    """Read what `write_distribution` wrote; SettingsError for a file that can't be read."""
    arrays = open_arrays(path, Distribution.__dataclass_fields__)
    return Distribution(**{name: np.asarray(array) for name, array in arrays.items()})
