"""Read NIfTI files in full, and check their headers before anything relies on them."""

import math
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np

from brainuad.io.errors import ScanError
from brainuad.io.formats import what_by_content, what_pointer

GZIP_MAGIC = b"\x1f\x8b"
HEADER_TYPES = {348: nib.Nifti1Image, 540: nib.Nifti2Image}
UNITS = {1: "metres", 3: "micrometres"}  # in xyzt_units, where 2 is mm and 0 is unknown
VOXEL_EDGES = (0.05, 20.0)  # mm
LARGEST_FIELD_OF_VIEW = 1000.0  # mm; more would not fit into memory at 1 mm
# Cosine between two axes: a tenth of a degree, .4 mm across a head. Rounding gives a millionth.
SHEAR_TOLERANCE = 0.002
# Length of the vector part of the qform's quaternion: a little above 1 is rounding, and more is not
# a rotation.
LARGEST_QUATERNION = 1.005
EDGE_TOLERANCE = 0.01  # fraction by which the voxel edges of pixdim and sform may differ
# Beyond this angle (as a cosine) between the axes of sform and qform, left and right are uncertain.
SAME_DIRECTION = math.cos(math.radians(45))


def read_image(path: Path) -> nib.Nifti1Image:
    """Read a single-file NIfTI (1 or 2, compressed or not, either byte order) of plain numbers.

    Raises ScanError for a file that cannot be read in full, and for a header whose voxel type or
    voxel size cannot be that of a scan.
    """
    content = _decompressed(_content(path), path)
    if not content:
        raise ScanError(f"{path}: the compressed file is empty; download it again")
    sizes = {int.from_bytes(content[:4], order) for order in ("little", "big")}
    kind = next((HEADER_TYPES[size] for size in sizes if size in HEADER_TYPES), None)
    if kind is None:
        raise ScanError(f"{path}: {what_by_content(content)}")
    length = kind.header_class.template_dtype.itemsize
    if len(content) < length:
        raise ScanError(f"{path}: the file is cut short; download it again")
    # Read without nibabel's corrections: a zero or negative voxel size would silently become
    # positive.
    raw = kind.header_class(content[:length], check=False)
    if not raw["magic"].item().startswith(b"n+"):
        raise ScanError(
            f"{path}: is half of an Analyze or NIfTI pair (.hdr and .img), whose orientation is "
            "not certain; convert the pair to one .nii.gz"
        )
    _check_voxel_size(raw, path)
    _correct(raw, path)
    try:
        image = kind.from_bytes(raw.binaryblock + content[length:])
        voxel_type, start = image.get_data_dtype(), image.dataobj.offset
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ScanError(f"{path}: the header is invalid ({reason}); export it again") from None
    # Checked before the voxels are read, which needs as much memory as the header says.
    if len(content) < start + math.prod(image.shape) * voxel_type.itemsize:
        raise ScanError(
            f"{path}: the file is cut short: its header claims {math.prod(image.shape)} voxels; "
            "download it again"
        )
    if voxel_type.kind not in "iuf":
        raise ScanError(
            f"{path}: the voxels are colours or complex numbers; export a scan of plain numbers"
        )
    return image


def read_affine(image: nib.Nifti1Image, path: Path) -> np.ndarray:
    """Voxel indices to RAS millimetres, float64 [4, 4], with axes at right angles.

    Raises ScanError if the header gives no position in space, an impossible one, or two that
    contradict each other.
    """
    header = image.header
    if header["sform_code"] == 0 and header["qform_code"] == 0:
        raise ScanError(
            f"{path}: the header gives no position in space (sform and qform codes are 0); "
            "export the scan with its orientation"
        )
    affine = np.asarray(image.affine, dtype=np.float64)
    if not _is_invertible(affine):
        raise ScanError(
            f"{path}: the header's affine cannot be inverted; export the scan with its orientation"
        )
    directions = _directions(affine)
    if (abs(directions.T @ directions - np.eye(3)) > SHEAR_TOLERANCE).any():
        raise ScanError(
            f"{path}: the axes are not at right angles (a sheared affine); "
            "resample the scan to a straight grid"
        )
    if header["sform_code"] != 0:
        _check_sform(header, affine, path)
    return affine


def same_directions(affine: np.ndarray, other: np.ndarray) -> bool:
    """Whether the angle between both directions of each voxel axis is below 45 degrees."""
    cosines = (_directions(affine) * _directions(other)).sum(axis=0)
    return bool((cosines > SAME_DIRECTION).all())


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if pointer := what_pointer(path):
            raise ScanError(f"{path}: {pointer}") from None
        what = "link leads to no file" if path.is_symlink() else "file does not exist"
        raise ScanError(f"{path}: the {what}; download or restore it") from None
    except OSError as error:
        raise ScanError(
            f"{path}: cannot be read ({error.strerror}); check its permissions"
        ) from None
    if not content:
        raise ScanError(f"{path}: the file is empty; download it again")
    if pointer := what_pointer(path, content):
        raise ScanError(f"{path}: {pointer}")
    return content


def _decompressed(content: bytes, path: Path) -> bytes:
    """The content of all gzip members; other bytes after them are ignored, as by gzip."""
    if not content.startswith(GZIP_MAGIC):
        return content
    parts = []
    while content.startswith(GZIP_MAGIC):
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            parts.append(member.decompress(content))
        except zlib.error:
            raise ScanError(f"{path}: the compression is damaged; download it again") from None
        if not member.eof:
            raise ScanError(f"{path}: the file is cut short; download it again")
        content = member.unused_data
    whole = b"".join(parts)
    if whole.startswith(GZIP_MAGIC):
        raise ScanError(f"{path}: is compressed twice; decompress it once with gunzip")
    return whole


def _check_voxel_size(raw: nib.Nifti1Header, path: Path) -> None:
    edges = np.asarray(raw["pixdim"][1:4], dtype=np.float64)
    shown = " x ".join(f"{edge:g}" for edge in edges)
    if not (np.isfinite(edges).all() and (edges > 0).all()):
        raise ScanError(f"{path}: the voxel size {shown} mm is not positive; correct the header")
    if (unit := int(raw["xyzt_units"]) & 7) in UNITS:
        raise ScanError(
            f"{path}: the header counts in {UNITS[unit]}; export the scan in millimetres"
        )
    smallest, largest = VOXEL_EDGES
    if edges.min() < smallest or edges.max() > largest:
        raise ScanError(
            f"{path}: the voxel size {shown} mm is outside {smallest:g} to {largest:g} mm; "
            "correct the header"
        )
    field_of_view = edges * np.asarray(raw["dim"][1:4], dtype=np.float64)
    if field_of_view.max() > LARGEST_FIELD_OF_VIEW:
        raise ScanError(
            f"{path}: the field of view of {field_of_view.max():g} mm is larger than "
            f"{LARGEST_FIELD_OF_VIEW:g} mm; correct the header"
        )


def _correct(raw: nib.Nifti1Header, path: Path) -> None:
    """Correct small errors that other tools read as they were meant, but nibabel does not.

    Of sform and qform, one that is invalid counts as missing if the other is there. Raises
    ScanError for a qform that is not a rotation, if there is no sform in its place.
    """
    # Voxels begin after the header and four bytes for extensions, never earlier.
    first = raw.template_dtype.itemsize + 4
    if not raw["vox_offset"] >= first:
        raw["vox_offset"] = first
    # Some writers leave the sizes of unused axes at 0.
    sizes = raw["dim"][4:]
    sizes[sizes == 0] = 1
    if raw["qform_code"] <= 0:
        return
    if raw["sform_code"] > 0 and not _is_invertible(_sform(raw)):
        raw["sform_code"] = 0
    # The handedness of the qform: the NIfTI library reads all below 0 as -1, all else as 1.
    handedness = float(raw["pixdim"][0])
    is_unsure = abs(handedness) != 1
    if is_unsure:
        raw["pixdim"][0] = -1 if handedness < 0 else 1
    vector = np.array([raw[f"quatern_{axis}"] for axis in "bcd"], dtype=np.float64)
    length = np.linalg.norm(vector)
    if 1 < length <= LARGEST_QUATERNION:
        for axis, value in zip("bcd", vector / length, strict=True):
            raw[f"quatern_{axis}"] = value
    is_rotation = length <= LARGEST_QUATERNION
    if not is_rotation and raw["sform_code"] <= 0:
        raise ScanError(f"{path}: the qform is invalid; export the scan with its orientation")
    if raw["sform_code"] > 0 and (is_unsure or not is_rotation):
        raw["qform_code"] = 0


def _sform(header: nib.Nifti1Header) -> np.ndarray:
    return np.array([*(header[f"srow_{axis}"] for axis in "xyz"), [0, 0, 0, 1]], dtype=np.float64)


def _is_invertible(affine: np.ndarray) -> bool:
    return bool(np.isfinite(affine).all() and abs(np.linalg.det(affine[:3, :3])) >= 1e-6)


def _check_sform(header: nib.Nifti1Header, affine: np.ndarray, path: Path) -> None:
    pixdim = np.asarray(header["pixdim"][1:4], dtype=np.float64)
    edges = np.linalg.norm(affine[:3, :3], axis=0)
    if (abs(edges / pixdim - 1) > EDGE_TOLERANCE).any():
        shown = " and ".join(" x ".join(f"{e:.4g}" for e in sizes) for sizes in (pixdim, edges))
        raise ScanError(
            f"{path}: the voxel sizes of pixdim and sform differ ({shown} mm); correct the header"
        )
    if header["qform_code"] == 0:
        return
    # ASSUME: if sform and qform differ by a shift or a rotation of less than 45 degrees, the sform
    # counts, as in nibabel and ITK: it is a later alignment. Beyond that, left in a tool that reads
    # one may be right in a tool that reads the other, and neither can be trusted.
    if not same_directions(affine, header.get_qform()):
        raise ScanError(
            f"{path}: sform and qform give different directions of the axes; find out which is "
            "right and remove the other"
        )


def _directions(affine: np.ndarray) -> np.ndarray:
    return affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
