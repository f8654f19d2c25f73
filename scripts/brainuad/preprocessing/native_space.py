"""From the final grid back to the grid of a scan's raw file.

The kept transform gives the position of the file's voxels in the template, and the affine of the
final grid their position on that grid, however it was cropped and downsampled. So a single
interpolation is enough.
"""

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from brainuad.images.geometry import values_at
from brainuad.images.headers import read_affine, read_image
from brainuad.images.volumes import Volume

# The fields of a header that give the position of voxels.
POSITION = (
    *("qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d"),
    *("qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z"),
)


@dataclass(frozen=True)
class ScanGrid:
    """The grid on which results of a scan are written.

    affine  float64 [4, 4]: voxel indices to RAS millimetres
    header  of the scan's raw file; None for a grid of the workflow
    """

    affine: np.ndarray
    shape: tuple[int, ...]
    header: nib.Nifti1Header | None = None

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml."""
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000


def grid_of_file(path: Path) -> ScanGrid:
    """The grid of a raw scan, with the affine of `read_volume`, whose ScanErrors it raises."""
    image = read_image(path)
    return ScanGrid(read_affine(image, path), image.shape[:3], image.header)


def to_scan_grid(
    volume: Volume, grid: ScanGrid, *, scan_from_volume: np.ndarray, labels: bool
) -> np.ndarray:
    """A volume at the voxel centres of a scan's grid, of its own type; 0 outside its box.

    scan_from_volume  affine map [4, 4] from points of the volume's space to points of the scan, RAS

    Images are interpolated linearly, labels by nearest neighbours, see `values_at`.
    """
    # ASSUME: maps are interpolated linearly, so that no new values appear, as with splines at
    # edges. Anomalies are segmented on the final grid, on which they are scored too, and the
    # segmentation is interpolated by nearest neighbours. So volumes are kept (a ball of 20 mm
    # changes by up to 2.5 %), and no two components merge; a threshold on the interpolated map
    # would let volumes grow by 20 % if it is low.
    result = np.zeros(grid.shape, volume.data.dtype)
    if not volume.data.any():
        return result
    (occupied,) = ndimage.find_objects((volume.data != 0).astype(np.uint8))
    # Most of a grid is outside the head: only the part that occupied voxels can reach is computed.
    ends = np.array([(part.start - 1, part.stop) for part in occupied])
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    to_grid = np.linalg.inv(grid.affine) @ scan_from_volume @ volume.affine
    reached = nib.affines.apply_affine(to_grid, corners)
    low = np.clip(np.floor(reached.min(axis=0)).astype(int), 0, grid.shape)
    high = np.clip(np.ceil(reached.max(axis=0)).astype(int) + 1, 0, grid.shape)
    if (low >= high).any():
        return result
    box_in_volume = (
        np.linalg.inv(scan_from_volume) @ grid.affine @ nib.affines.from_matvec(np.eye(3), low)
    )
    box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
    result[box] = values_at(volume, box_in_volume, high - low, labels=labels)
    return result


def write_on_grid(data: np.ndarray, grid: ScanGrid, path: Path) -> None:
    """Write an array [X, Y, Z] as NIfTI in its own type; the same array gives the same bytes.

    The raw scan's sform and qform are copied unchanged, so that every tool shows the two at the
    same position, whichever form it reads.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(data, grid.affine)
    header = image.header
    if grid.header is not None:
        for field in POSITION:
            header[field] = grid.header[field]
        header["pixdim"][:4] = grid.header["pixdim"][:4]
    header.set_xyzt_units("mm")
    nib.save(image, path)
