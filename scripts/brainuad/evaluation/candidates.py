"""Lesion candidates: the connected components of a segmentation of one scan."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import fft, ndimage

from brainuad.images.volumes import Volume

# ASSUME: a candidate is on one side if this share of it is; others are at the midline.
SHARE_OF_A_SIDE = 0.75


class Side(StrEnum):
    """The side of a candidate in the head; left is the patient's left."""

    LEFT = "left"
    RIGHT = "right"
    MIDLINE = "midline"


@dataclass(frozen=True)
class Candidate:
    """A connected component of a segmentation.

    voxels  number of voxels on the final grid
    peak    highest value of the anomaly map in it
    mean    of the anomaly map over it
    place   its centre of mass, or its voxel nearest to that if the centre is outside of it; in
            voxels of the final grid (x, y, z)
    side    of the midsagittal plane
    """

    voxels: int
    peak: float
    mean: float
    place: tuple[float, float, float]
    side: Side


def measure_candidates(
    components: np.ndarray, anomaly_map: Volume, *, midsagittal: float
) -> list[Candidate]:
    """Measure the components that `label_components` found, in their order.

    components   [X, Y, Z], numbered from 1
    anomaly_map  [X, Y, Z] in the template's space
    midsagittal  the position of the midsagittal plane, RAS mm along x
    """
    found = []
    for number, box in enumerate(ndimage.find_objects(components), start=1):
        inside = components[box] == number
        values = anomaly_map.data[box][inside]
        positions = np.argwhere(inside) + [part.start for part in box]
        x = positions @ anomaly_map.affine[0, :3] + anomaly_map.affine[0, 3]
        found.append(
            Candidate(
                voxels=len(values),
                peak=float(values.max()),
                mean=float(values.mean(dtype=np.float64)),
                place=_place(positions),
                side=side_of(x, midsagittal),
            )
        )
    return found


def _place(positions: np.ndarray) -> tuple[float, float, float]:
    centre = positions.mean(axis=0)
    # A curved candidate may lie around its centre.
    distances = np.linalg.norm(positions - centre, axis=1)
    nearest = distances.argmin()
    return tuple((centre if distances[nearest] < 1 else positions[nearest]).tolist())


def side_of(x: Sequence[float] | np.ndarray, midsagittal: float) -> Side:
    """The side of most of these positions, RAS mm along x."""
    left = np.mean(np.asarray(x) < midsagittal)
    if left >= SHARE_OF_A_SIDE:
        return Side.LEFT
    return Side.RIGHT if left <= 1 - SHARE_OF_A_SIDE else Side.MIDLINE


def midsagittal_plane(brain: Volume) -> float:
    """The position (mm along x) of the plane about which a brain is most symmetric.

    The brain [X, Y, Z] has RAS axes and is above 0 inside. The position is not 0 in templates whose
    origin is a corner, such as SRI24.
    """
    # The convolution of a row of voxels with itself is its overlap with its mirror image, for all
    # planes at once.
    size = 2 * brain.data.shape[0]
    spectrum = fft.rfft((brain.data > 0).astype(np.float32), size, axis=0)
    common = fft.irfft((spectrum**2).sum(axis=(1, 2)), size)
    return float(brain.affine[0, 3] + brain.affine[0, 0] * common.argmax() / 2)
