"""Read, check and write NIfTI volumes, with one clear line for each problem."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from brainuad.images.headers import read_affine, read_image, same_directions
from brainuad.io.errors import ScanError

# Two grids count as the same if no corner of the field of view moves by more than this fraction of
# the smallest voxel edge: headers of one study differ by rounding.
GRID_TOLERANCE = 0.1
# ASSUME: magnitude images have no values below 0, but resampled ones may: cubic splines undershoot
# an edge by up to a seventh of its height. Values below minus a quarter of the maximum come from an
# integer overflow, or from a scan of another kind.
LARGEST_NEGATIVE_SHARE = 0.25
WHOLE_NUMBER_TOLERANCE = 1e-3  # for labels that were scaled, such as 255 x 1/255


@dataclass(frozen=True, eq=False)
class Volume:
    """A three-dimensional array [X, Y, Z] and its position in space.

    affine   float64 [4, 4]: voxel indices to RAS millimetres
    """

    data: np.ndarray
    affine: np.ndarray

    @property
    def spacing(self) -> np.ndarray:
        """Edge lengths of a voxel in mm, float64 [3]."""
        return np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml."""
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000


def read_volume(path: Path) -> Volume:
    """Read a scan as float32 [X, Y, Z] and check everything that later steps rely on.

    Raises ScanError, one line that names the file, for a file that is missing, unreadable, empty,
    cut short or not NIfTI; for an image that is not 3-D (trailing axes of length 1 are dropped),
    has a single slice, colours, complex numbers, no plausible voxel size or no certain position in
    space; and for values that are NaN, infinite, all the same or far below 0.
    """
    volume = read_mask(path)
    data = volume.data
    if not np.isfinite(data).all():
        count = int(np.count_nonzero(~np.isfinite(data)))
        raise ScanError(
            f"{path}: {count} of {data.size} voxels are NaN or infinite; export the scan again"
        )
    low, high = data.min(), data.max()
    if low == high:
        raise ScanError(
            f"{path}: every voxel has the value {low:g}; the scan is blank, replace the file"
        )
    if low < -LARGEST_NEGATIVE_SHARE * max(high, 0):
        raise ScanError(
            f"{path}: the values are {low:g} to {high:g}, which a magnitude image cannot have "
            "(an integer overflow?); export the scan again"
        )
    return volume


def read_mask(path: Path) -> Volume:
    """Read a volume of any values as float32 [X, Y, Z].

    Raises ScanError like `read_volume`, except for values. Lesion masks with known labels are read
    by `read_labels`.
    """
    path = Path(path)
    image = read_image(path)
    return Volume(_values(image, path), read_affine(image, path))


def read_labels(path: Path, *, expected: Collection[int], grid: Volume | None = None) -> Volume:
    """Read a mask of labels [X, Y, Z]; `grid` is a volume whose grid it must have.

    It is uint8, or a wider unsigned type if labels above 255 are expected. Raises ScanError like
    `read_volume`, and for values other than 0 and the expected labels, or for another grid. A mask
    without any lesion is valid.
    """
    mask = read_mask(path)
    known = sorted({0, *expected})
    is_known = np.zeros(known[-1] + 1, dtype=bool)
    is_known[known] = True
    near = (mask.data >= 0) & (mask.data <= known[-1] + WHOLE_NUMBER_TOLERANCE)
    labels = np.rint(np.where(near, mask.data, 0)).astype(np.min_scalar_type(known[-1]))
    # Values that are not whole numbers, or above all labels, differ from their label.
    right = is_known[labels] & (np.abs(mask.data - labels) <= WHOLE_NUMBER_TOLERANCE)
    if not right.all():
        shown = ", ".join(f"{value:g}" for value in np.unique(mask.data[~right])[:3])
        wanted = ", ".join(map(str, known)) if len(known) < 20 else f"0 to {known[-1]}"
        raise ScanError(
            f"{path}: holds the unexpected label {shown}; expected only {wanted}, check the mask"
        )
    volume = Volume(labels, mask.affine)
    if grid is not None:
        check_same_grid(volume, grid, name=str(path))
    return volume


def whole_numbers(data: np.ndarray) -> np.ndarray:
    """Where the values are whole numbers, up to the rounding of a scaled file."""
    return np.abs(data - np.rint(data)) <= WHOLE_NUMBER_TOLERANCE


def check_same_axes(mask: Volume, scan: Volume, *, name: str) -> None:
    """Raise ScanError, with `name` for the mask, if it has another shape or other axes than a scan.

    Its position in space does not matter.
    """
    if mask.data.shape != scan.data.shape:
        raise ScanError(
            f"{name}: the mask has the shape {mask.data.shape}, its scan {scan.data.shape}; "
            "use the mask that was drawn on this scan"
        )
    if not same_directions(mask.affine, scan.affine):
        raise ScanError(
            f"{name}: the axes of the mask run in other directions than those of its scan; "
            "use the mask that was drawn on this scan"
        )


def check_same_grid(mask: Volume, scan: Volume, *, name: str) -> None:
    """Raise ScanError, with `name` for the mask, if its shape or position is not that of a scan."""
    check_same_axes(mask, scan, name=name)
    corners = np.array(np.meshgrid(*[(0, size - 1) for size in scan.data.shape])).reshape(3, -1)
    homogeneous = np.vstack([corners, np.ones(corners.shape[1])])
    shift = np.linalg.norm(((mask.affine - scan.affine) @ homogeneous)[:3], axis=0).max()
    if shift > GRID_TOLERANCE * scan.spacing.min():
        raise ScanError(
            f"{name}: the mask lies up to {shift:.3g} mm away from its scan; "
            "use the mask that was drawn on this scan"
        )


def write_volume(volume: Volume, path: Path) -> None:
    """Write a volume as NIfTI in the array's own type; the same volume gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(volume.data, volume.affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)


def _values(image: nib.Nifti1Image, path: Path) -> np.ndarray:
    shape = image.shape
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        raise ScanError(
            f"{path}: the image has {len(shape)} dimensions {shape}, 3 are needed; "
            "extract a single volume"
        )
    if min(shape) < 2:
        raise ScanError(f"{path}: the image {shape} is a single slice; a whole volume is needed")
    try:
        # Values that overflow become infinite, which `read_volume` reports.
        with np.errstate(over="ignore", invalid="ignore"):
            return image.get_fdata(dtype=np.float32, caching="unchanged").reshape(shape)
    except (OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ScanError(f"{path}: the voxels cannot be read ({reason}); export it again") from None
