"""Reading, checking and writing of NIfTI volumes, with one clear line for each thing amiss."""

import gzip
import math
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from brainuad.errors import ScanError

GZIP_MAGIC = b"\x1f\x8b"
HEADER_TYPES = {348: nib.Nifti1Image, 540: nib.Nifti2Image}
# Two grids count as the same while no corner of the field of view moves by more than this part
# of the smallest voxel edge: headers of one study differ by rounding.
GRID_TOLERANCE = 0.1


@dataclass(frozen=True)
class Volume:
    """A three-dimensional array [X, Y, Z] and its place in the scanner.

    affine   float64 [4, 4]: voxel indices to RAS millimetres
    """

    data: np.ndarray
    affine: np.ndarray

    @property
    def spacing(self) -> np.ndarray:
        """Edge lengths of a voxel in mm, float64 [3]."""
        return np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))


def read_volume(path: Path) -> Volume:
    """Read a scan as float32 [X, Y, Z] and check everything that later steps rely on.

    Raises ScanError, one line that names the file, for a file that is missing, unreadable, empty,
    cut short or not NIfTI; for an image that is not 3-D (a last axis of one entry is dropped), has
    a single slice, colours, complex numbers, no valid voxel size or no position in space; and for
    values that are NaN, infinite or all the same.
    """
    image = _read_image(Path(path))
    data = _values(image, path)
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
    return Volume(data, _affine(image, path))


def read_labels(path: Path, *, expected: Collection[int], grid: Volume | None = None) -> Volume:
    """Read a mask of labels as uint8 [X, Y, Z]; `grid` is the scan whose grid it must share.

    Raises ScanError as `read_volume`, and for values other than 0 and the expected labels or for
    another grid. A mask without any lesion is valid.
    """
    image = _read_image(Path(path))
    data = _values(image, path)
    known = np.array(sorted({0, *expected}), dtype=np.float32)
    if not np.isin(data, known).all():
        strange = np.unique(data[~np.isin(data, known)])
        shown = ", ".join(f"{value:g}" for value in strange[:3])
        wanted = ", ".join(f"{value:g}" for value in known)
        raise ScanError(
            f"{path}: holds the unexpected label {shown}; expected only {wanted}, check the mask"
        )
    labels = Volume(data.astype(np.uint8), _affine(image, path))
    if grid is not None:
        check_same_grid(labels, grid, name=str(path))
    return labels


def check_same_grid(mask: Volume, scan: Volume, *, name: str) -> None:
    """Raise ScanError naming the mask if its shape or its place in space is not the scan's."""
    if mask.data.shape != scan.data.shape:
        raise ScanError(
            f"{name}: the mask has the shape {mask.data.shape}, its scan {scan.data.shape}; "
            "use the mask that was drawn on this scan"
        )
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


def _read_image(path: Path) -> nib.Nifti1Image:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ScanError(f"{path}: the file does not exist; download or restore it") from None
    except OSError as error:
        raise ScanError(f"{path}: cannot be read ({error.strerror}); check its rights") from None
    if not content:
        raise ScanError(f"{path}: the file is empty; download it again")
    if content.startswith(GZIP_MAGIC):
        try:
            content = gzip.decompress(content)
        except EOFError:
            raise ScanError(f"{path}: the file is cut short; download it again") from None
        except (OSError, zlib.error):
            raise ScanError(f"{path}: the compression is damaged; download it again") from None
    sizes = {int.from_bytes(content[:4], order) for order in ("little", "big")}
    kind = next((HEADER_TYPES[size] for size in sizes if size in HEADER_TYPES), None)
    if kind is None:
        raise ScanError(f"{path}: is not a NIfTI file; convert it, for example with dcm2niix")
    if len(content) < kind.header_class.template_dtype.itemsize:
        raise ScanError(f"{path}: the file is cut short; download it again")
    # Read before nibabel repairs it: a zero or negative voxel size would silently become positive.
    raw = kind.header_class(content[: kind.header_class.template_dtype.itemsize], check=False)
    edges = np.asarray(raw["pixdim"][1:4], dtype=np.float64)
    if not (np.isfinite(edges).all() and (edges > 0).all()):
        shown = " x ".join(f"{edge:g}" for edge in edges)
        raise ScanError(f"{path}: the voxel size {shown} mm is not positive; correct the header")
    try:
        image = kind.from_bytes(content)
    except Exception as error:
        raise ScanError(f"{path}: the header is invalid ({error}); export it again") from None
    voxel_type = image.get_data_dtype()
    # Checked before reading, which takes the memory that the header asks for.
    if len(content) < image.dataobj.offset + math.prod(image.shape) * voxel_type.itemsize:
        raise ScanError(
            f"{path}: the file is cut short: its header claims {math.prod(image.shape)} voxels; "
            "download it again"
        )
    if voxel_type.kind not in "iuf":
        raise ScanError(
            f"{path}: the voxels are colours or complex numbers; export a scan of plain numbers"
        )
    return image


def _values(image: nib.Nifti1Image, path: Path) -> np.ndarray:
    shape = image.shape
    if len(shape) == 4 and shape[3] == 1:
        shape = shape[:3]
    if len(shape) != 3:
        raise ScanError(
            f"{path}: the image has {len(shape)} dimensions {shape}, 3 are needed; "
            "extract a single volume"
        )
    if min(shape) < 2:
        raise ScanError(f"{path}: the image {shape} is a single slice; a whole volume is needed")
    try:
        return image.get_fdata(dtype=np.float32, caching="unchanged").reshape(shape)
    except (OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ScanError(f"{path}: the voxels cannot be read ({reason}); export it again") from None


def _affine(image: nib.Nifti1Image, path: Path) -> np.ndarray:
    header = image.header
    if header["sform_code"] == 0 and header["qform_code"] == 0:
        raise ScanError(
            f"{path}: the header gives no position in space (sform and qform codes are 0); "
            "export the scan with its orientation"
        )
    affine = np.asarray(image.affine, dtype=np.float64)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-6:
        raise ScanError(
            f"{path}: the header's affine cannot be inverted; export the scan with its orientation"
        )
    return affine
