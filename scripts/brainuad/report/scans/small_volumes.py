"""A scan and its maps, small enough to stand inside a page, and exactly where they were."""

import base64
import gzip
from dataclasses import dataclass

import nibabel as nib
import numpy as np

from brainuad.images.geometry import crop
from brainuad.images.volumes import Volume
from brainuad.report.figures.pictures import bounding_box, scan_window

# A page takes the finest voxels (mm) that keep its volumes to this size, some .7 MB in base64, or
# else the last.
SPACINGS_MM = (0.8, 1.0, 1.2, 1.5)
MOST_VOXELS = 1_200_000
MARGIN_MM = 12.0
WHITE = 255
STEPS = 200


@dataclass(frozen=True)
class SmallVolumes:
    """A scan and its maps about the brain, uint8 on one grid.

    scan         0 to 255, white at the 99.5th percentile of the brain
    anomaly_map  0 to 255, which stands for 0 to `maximum`
    deviation    likewise, to `highest_deviation`, and 0 outside the brain; None where the scan was
                 reconstructed once
    """

    scan: Volume
    anomaly_map: Volume
    maximum: float
    deviation: Volume | None
    highest_deviation: float


def small_volumes(
    scan: Volume, brain: np.ndarray, anomaly_map: Volume, deviation: Volume | None
) -> SmallVolumes:
    """Cut volumes of one grid to the brain with a margin of 12 mm, and average over larger voxels.

    The brain mask is bool, the maps >= 0.
    """
    box = bounding_box(brain, margin=np.ceil(MARGIN_MM / scan.spacing).astype(int).tolist())
    spacing = _spacing_for(crop(scan, box))
    white = scan_window(scan.data[brain])[1]

    def highest(volume: Volume) -> float:
        return float(volume.data.max()) or 1.0

    def as_bytes(volume: Volume, top: float) -> Volume:
        small = averaged(crop(volume, box), spacing)
        values = np.rint(np.clip(small.data * (WHITE / top), 0, WHITE))
        return Volume(values.astype(np.uint8), small.affine)

    if deviation is not None:
        # A model also makes something of the background.
        deviation = Volume(np.where(brain, deviation.data, 0), deviation.affine)
    maximum = highest(anomaly_map)
    top = highest(deviation) if deviation else 1.0
    return SmallVolumes(
        as_bytes(scan, white),
        as_bytes(anomaly_map, maximum),
        maximum,
        as_bytes(deviation, top) if deviation else None,
        top,
    )


def _spacing_for(volume: Volume) -> float:
    size_mm3 = volume.data.size * float(np.prod(volume.spacing))
    for spacing in SPACINGS_MM:
        if size_mm3 / np.prod(np.maximum(volume.spacing, spacing)) <= MOST_VOXELS:
            return spacing
    return SPACINGS_MM[-1]


def averaged(volume: Volume, spacing: float) -> Volume:
    """Average over voxels of at least `spacing` mm along each axis; longer ones stay as they are.

    Each new voxel takes in the old ones, or parts of them, that lie within it, so that sums are
    kept. The new field of view has the centre of the old one, and covers it. Gives float32.
    """
    data, affine = volume.data.astype(np.float32), volume.affine.copy()
    for axis, edge in enumerate(volume.spacing):
        step = max(1.0, spacing / float(edge))
        old = data.shape[axis]
        new = int(np.ceil(old / step - 1e-6))
        start = (old - new * step) / 2
        # How much of each old voxel lies in each new one, [new, old], in voxels from the old edge.
        low, begin = start + step * np.arange(new)[:, np.newaxis], np.arange(old)
        shares = np.minimum(low + step, begin + 1) - np.maximum(low, begin)
        shares = (shares.clip(0) / step).astype(np.float32)
        data = np.moveaxis(np.tensordot(shares, data, axes=(1, axis)), 0, axis)
        # Voxel indices count centres: the first of the new ones lies half a step behind its edge.
        affine[:3, 3] += affine[:3, axis] * (start + step / 2 - 0.5)
        affine[:3, axis] *= step
    return Volume(np.ascontiguousarray(data), affine)


def as_base64(volume: Volume, *, slope: float) -> str:
    """A compressed NIfTI of uint8, whose values times `slope` are what is meant, in base64."""
    image = nib.Nifti1Image(volume.data, volume.affine)
    image.header.set_xyzt_units("mm")
    image.header.set_slope_inter(slope, 0)
    return base64.b64encode(gzip.compress(image.to_bytes(), mtime=0)).decode("ascii")


def volumes_above(anomaly_map: Volume, threshold: float) -> list[tuple[float, float]]:
    """Thresholds from low to high, the given one among them, and the volume in ml above each."""
    scores = np.sort(anomaly_map.data[anomaly_map.data > 0])
    maximum = max(float(scores[-1]) if scores.size else 0.0, 1.25 * threshold) or 1.0
    levels = np.linspace(0, maximum, STEPS + 1)
    levels[np.abs(levels - threshold).argmin()] = threshold
    above = scores.size - np.searchsorted(scores, levels.astype(scores.dtype), side="right")
    return list(zip(levels.tolist(), (above * anomaly_map.voxel_ml).tolist(), strict=True))
