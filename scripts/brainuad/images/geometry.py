"""Grids and orientations: functions from volumes to volumes, which have the right affine.

All functions act along the voxel axes, so a volume keeps the direction of its axes; only `to_ras`
permutes and flips them, and `labels_on` takes the axes of another grid.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from brainuad.images.volumes import Volume
from brainuad.io.errors import ScanError

# Labels belong to a scan if the two fields of view share this fraction of the smaller one.
SMALLEST_OVERLAP = 0.5
# A centre halfway between two labels takes the upper one, as in ITK, even if the rounding of a
# header puts it slightly below the middle.
HALFWAY_TOLERANCE = 1e-4  # voxels


def to_ras(volume: Volume) -> Volume:
    """Permute and flip the axes so that they run to the right, to the front and upwards.

    No value is interpolated; the axes of an oblique scan stay oblique, but are the closest to RAS.
    """
    orientation = nib.orientations.io_orientation(volume.affine)
    data = nib.orientations.apply_orientation(volume.data, orientation)
    back = nib.orientations.inv_ornt_aff(orientation, volume.data.shape)
    return Volume(np.ascontiguousarray(data), volume.affine @ back)


def resample(volume: Volume, spacing: float, *, labels: bool) -> Volume:
    """Bring a volume to cubic voxels of `spacing` mm over the same field of view.

    Images are interpolated by cubic b-splines and keep their range, labels by nearest neighbours.
    """
    old = volume.spacing
    shape = np.maximum(2, np.rint(np.array(volume.data.shape) * old / spacing)).astype(int)
    steps = spacing / old
    # The centre of the field of view stays the same, so at most half a voxel is lost or gained.
    starts = ((np.array(volume.data.shape) - 1) - (shape - 1) * steps) / 2
    sampled = _sample(volume, starts=starts, steps=steps, shape=shape, labels=labels)
    # ASSUME: b-splines overshoot at edges; a resampled scan is clipped to its range, since N4 could
    # not take the logarithm of negative intensities.
    return Volume(sampled.data.clip(volume.data.min(), volume.data.max()), sampled.affine)


def downsample(volume: Volume, factor: int, *, labels: bool) -> Volume:
    """Make the voxels `factor` times as large; each new voxel covers `factor`^3 old ones.

    Interpolated as in `resample`, but splines may overshoot the range at edges. The shape must be
    divisible by the factor.
    """
    if any(size % factor for size in volume.data.shape):
        raise ValueError(f"the shape {volume.data.shape} is not divisible by {factor}")
    shape = np.array(volume.data.shape) // factor
    starts = np.full(3, (factor - 1) / 2)
    return _sample(volume, starts=starts, steps=np.full(3, factor), shape=shape, labels=labels)


def labels_on(labels: Volume, grid: Volume, *, name: str = "the lesion mask") -> Volume:
    """Bring labels to the grid of another volume, uint8: each voxel takes the label at its centre.

    Outside the field of view of the labels it is 0. Raises ScanError, which begins with `name`, if
    the two fields of view share less than half of the smaller one.
    """

    def sampled(data: np.ndarray) -> np.ndarray:
        volume = Volume(data, labels.affine)
        return values_at(volume, grid.affine, grid.data.shape, labels=True)

    covered = np.count_nonzero(sampled(np.ones(labels.data.shape, np.uint8)))
    ratio = np.prod(labels.spacing / grid.spacing)
    smaller = min(labels.data.size * ratio, grid.data.size)
    if covered < SMALLEST_OVERLAP * smaller:
        raise ScanError(
            f"{name}: shares {covered / smaller:.0%} of the field of view with its scan; "
            "use the mask of this scan"
        )
    return Volume(sampled(labels.data.astype(np.uint8)), grid.affine)


def values_at(
    volume: Volume, affine: np.ndarray, shape: Sequence[int], *, labels: bool
) -> np.ndarray:
    """The values of a volume at the voxel centres of another grid, of the volume's own type.

    affine  float64 [4, 4]: voxel indices of the other grid to millimetres of the volume's space

    Images are interpolated linearly, and fall to 0 within a voxel beyond the outermost centres;
    labels are interpolated by nearest neighbours, and are 0 outside the volume's field of view.
    """
    steps = np.linalg.inv(volume.affine) @ affine
    return ndimage.affine_transform(
        volume.data,
        steps[:3, :3],
        offset=steps[:3, 3] + (HALFWAY_TOLERANCE if labels else 0),
        output_shape=tuple(shape),
        order=0 if labels else 1,
        mode="grid-constant",
    )


def crop_or_pad(volume: Volume, size: Sequence[int]) -> Volume:
    """Crop or pad with zeros around the centre until the volume has the size (x, y, z).

    If a difference is odd, the larger half is at the low end, as in torchio's CropOrPad.
    """
    data = np.zeros(tuple(size), dtype=volume.data.dtype)
    old = np.array(volume.data.shape)
    difference = old - np.array(size)
    starts = np.where(difference > 0, (difference + 1) // 2, -((-difference + 1) // 2))
    lows, highs = np.maximum(starts, 0), np.minimum(starts + np.array(size), old)
    target = tuple(
        slice(low, high) for low, high in zip(lows - starts, highs - starts, strict=True)
    )
    source = tuple(slice(low, high) for low, high in zip(lows, highs, strict=True))
    data[target] = volume.data[source]
    return Volume(data, _moved(volume.affine, starts=starts, steps=np.ones(3)))


def bounding_box(mask: np.ndarray, *, keep_last_slice: bool) -> tuple[slice, slice, slice]:
    """The smallest box that contains every voxel of the mask.

    Without `keep_last_slice` it lacks the last slice of each axis, as in the released code.
    """
    box = ndimage.find_objects((mask > 0).astype(np.uint8))
    if not box:
        raise ScanError("the brain mask is empty; check the scan and its registration")
    if keep_last_slice:
        return box[0]
    if any(part.stop - part.start < 2 for part in box[0]):
        raise ScanError(
            "the brain mask has a single slice, and preprocessing.keep_last_slice: false drops it; "
            "check the scan and its registration"
        )
    return tuple(slice(part.start, part.stop - 1) for part in box[0])


def crop(volume: Volume, box: tuple[slice, slice, slice]) -> Volume:
    """Crop a volume to a box of voxels, with the affine of the box."""
    starts = np.array([part.start for part in box])
    affine = _moved(volume.affine, starts=starts, steps=np.ones(3))
    return Volume(np.ascontiguousarray(volume.data[box]), affine)


def border_of(data: np.ndarray) -> np.ndarray:
    """The values of the outermost voxels on all six sides; those on edges are repeated."""
    faces = (data[[0, -1]], data[:, [0, -1]], data[:, :, [0, -1]])
    return np.concatenate([face.ravel() for face in faces])


def background_of(data: np.ndarray) -> float:
    """The value of at least half of the border's voxels; 0 if there is none."""
    values, counts = np.unique(border_of(data), return_counts=True)
    return float(values[counts.argmax()]) if 2 * counts.max() >= counts.sum() else 0.0


def head_mask(data: np.ndarray, *, above: float = 0.0) -> np.ndarray:
    """Brain mask of a stripped scan: the largest component above a value, holes filled, uint8."""
    components, count = ndimage.label(data > above)
    if count == 0:
        raise ScanError(f"no voxel is above {above:g}, so the scan cannot be a stripped brain")
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    return ndimage.binary_fill_holes(components == sizes.argmax()).astype(np.uint8)


def _sample(
    volume: Volume, *, starts: np.ndarray, steps: np.ndarray, shape: np.ndarray, labels: bool
) -> Volume:
    affine = _moved(volume.affine, starts=starts, steps=steps)
    if labels:
        half = 0.5 + HALFWAY_TOLERANCE
        indices = [
            np.clip(np.floor(start + step * np.arange(count) + half).astype(int), 0, size - 1)
            for start, step, count, size in zip(
                starts, steps, shape, volume.data.shape, strict=True
            )
        ]
        return Volume(np.ascontiguousarray(volume.data[np.ix_(*indices)]), affine)
    # ASSUME: no low-pass filter before downsampling, as in the released code.
    with warnings.catch_warnings():
        # For each diagonal transform, scipy warns that offsets had another meaning until 2016.
        warnings.filterwarnings("ignore", message="The behavior of affine_transform")
        data = ndimage.affine_transform(
            volume.data.astype(np.float32),
            steps,
            offset=starts,
            output_shape=tuple(shape.tolist()),
            output=np.float32,
            order=3,
            mode="mirror",
        )
    return Volume(data, affine)


def _moved(affine: np.ndarray, *, starts: np.ndarray, steps: np.ndarray) -> np.ndarray:
    moved = affine.copy()
    moved[:3, :3] = affine[:3, :3] * steps
    moved[:3, 3] = affine[:3, 3] + affine[:3, :3] @ starts
    return moved


def read_transform(matrix: Path) -> np.ndarray:
    """The affine map [4, 4] from points of the template to points of the scan, in RAS millimetres.

    matrix: the ITK file that `register_linear` wrote, whose points are LPS.
    """
    # Few of the jobs that import this module need scipy.io, whose import takes long.
    from scipy import io

    content = io.loadmat(matrix)
    (name,) = (name for name in content if name.startswith("Affine"))
    parameters = content[name].ravel().astype(np.float64)
    centre = content["fixed"].ravel().astype(np.float64)
    linear = parameters[:9].reshape(3, 3)
    lps = nib.affines.from_matvec(linear, parameters[9:] + centre - linear @ centre)
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    return flip @ lps @ flip


def volume_in_scan(matrix: Path) -> float:
    """The ratio of a volume in the scan to the same volume in the template.

    It is the determinant of the affine map from points of the template to points of the scan.
    """
    return abs(float(np.linalg.det(read_transform(matrix)[:3, :3])))
