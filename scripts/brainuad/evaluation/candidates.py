"""Lesion candidates: what a method calls anomalous in one scan, part by part."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import fft, ndimage

from brainuad.images.volumes import Volume

# ASSUME: a candidate lies on a side if this share of it does; others lie at the midline.
SHARE_OF_A_SIDE = 0.75


class Side(StrEnum):
    """Where a candidate lies in the head; left is the patient's left."""

    LEFT = "left"
    RIGHT = "right"
    MIDLINE = "midline"


@dataclass(frozen=True)
class Candidate:
    """A connected part of a segmentation.

    voxels  on the final grid
    peak    highest value of the anomaly map in it
    mean    of the anomaly map over it
    centre  its centre of mass, in voxels of the final grid (x, y, z)
    side    of the plane that halves the head
    """

    voxels: int
    peak: float
    mean: float
    centre: tuple[float, float, float]
    side: Side


def measure_candidates(
    parts: np.ndarray, anomaly_map: Volume, *, midsagittal: float
) -> list[Candidate]:
    """What `label_components` found in a map [X, Y, Z] in the template's space, in its order.

    midsagittal: where the plane that halves the head lies, RAS mm along x.
    """
    found = []
    for number, box in enumerate(ndimage.find_objects(parts), start=1):
        inside = parts[box] == number
        values = anomaly_map.data[box][inside]
        places = np.argwhere(inside) + [part.start for part in box]
        x = places @ anomaly_map.affine[0, :3] + anomaly_map.affine[0, 3]
        found.append(
            Candidate(
                voxels=len(values),
                peak=float(values.max()),
                mean=float(values.mean(dtype=np.float64)),
                centre=tuple(places.mean(axis=0).tolist()),
                side=side_of(x, midsagittal),
            )
        )
    return found


def side_of(x: Sequence[float] | np.ndarray, midsagittal: float) -> Side:
    """The side on which most of these places lie, RAS mm along x."""
    left = np.mean(np.asarray(x) < midsagittal)
    if left >= SHARE_OF_A_SIDE:
        return Side.LEFT
    return Side.RIGHT if left <= 1 - SHARE_OF_A_SIDE else Side.MIDLINE


def midsagittal_plane(brain: Volume) -> float:
    """Where a brain [X, Y, Z] in RAS axes, above 0 inside, is most like its mirror image, in mm.

    That is the plane x = constant; not 0 in templates that count from a corner, as SRI24 does.
    """
    # What a row of voxels has in common with itself mirrored, for every plane at once: the
    # convolution of the row with itself.
    size = 2 * brain.data.shape[0]
    spectrum = fft.rfft((brain.data > 0).astype(np.float32), size, axis=0)
    common = fft.irfft((spectrum**2).sum(axis=(1, 2)), size)
    return float(brain.affine[0, 3] + brain.affine[0, 0] * common.argmax() / 2)
