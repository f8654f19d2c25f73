"""The small picture of a scan in the index: the slice with its largest candidate, and the map."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from brainuad.images.geometry import to_ras
from brainuad.images.volumes import Volume
from brainuad.report.figures.pictures import axial_view
from brainuad.report.scans.small_volumes import WHITE, SmallVolumes

# Pixels of an edge.
SIZE = 176
OPACITY = 0.7
# The green of the lowest colour; its red is full and its blue 0, as on the page.
LOW_GREEN = 40


def draw_slice(
    shown: SmallVolumes, *, threshold: float, centre: Sequence[float] | None
) -> Image.Image:
    """An axial slice in radiological display, with what is above the threshold in colours.

    It goes through `centre` (RAS mm), or else through the highest value of the map. The colours are
    those of the page: from red at 0 to yellow at the highest value.
    """
    scan, scores = to_ras(shown.scan), to_ras(shown.anomaly_map)
    number = _slice_at(scan, centre) if centre is not None else _highest(scores.data)
    grey = axial_view(scan.data[..., number]).astype(np.float64)
    share = axial_view(scores.data[..., number]) / WHITE
    colour = np.stack(
        [np.full(share.shape, WHITE), LOW_GREEN + share * (WHITE - LOW_GREEN), 0 * share], axis=-1
    )
    above = OPACITY * (share * shown.maximum > threshold)[..., np.newaxis]
    mixed = (1 - above) * grey[..., np.newaxis] + above * colour
    edges = np.array(share.shape[::-1]) * scan.spacing[:2]
    width, height = np.maximum(1, np.rint(edges * (SIZE / edges.max()))).astype(int).tolist()
    slice_ = Image.fromarray(np.rint(mixed).astype(np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    picture = Image.new("RGB", (SIZE, SIZE))
    picture.paste(slice_, ((SIZE - width) // 2, (SIZE - height) // 2))
    return picture


def _slice_at(volume: Volume, centre: Sequence[float]) -> int:
    place = (np.linalg.inv(volume.affine) @ [*centre, 1.0])[2]
    return int(np.clip(round(float(place)), 0, volume.data.shape[2] - 1))


def _highest(scores: np.ndarray) -> int:
    """The slice with the highest value; of a map without any, the one in the middle."""
    tops = scores.max(axis=(0, 1))
    return int(tops.argmax()) if tops.any() else scores.shape[2] // 2
