"""The ICBM152 template in the nilearn package, and the head around its brain."""

from dataclasses import dataclass
from importlib.resources import files

import nibabel as nib
import numpy as np
from scipy import ndimage

# The coordinates of the file: 1 mm voxels from this corner, axes to the right, front and top.
TEMPLATE_ORIGIN = (-98.0, -134.0, -72.0)
TEMPLATE_SHAPE = (197, 233, 189)
COARSE = 2
_EVERY_SECOND = (slice(None, None, COARSE),) * 3

BRAIN_THRESHOLD = 0.2  # as in nilearn's load_mni152_brain_mask, where T1 has the maximum 1
FOLD_CLOSING = 4.0  # mm: fluid between folds up to twice as wide counts as inside the brain
OPENING = 4.0  # mm: parts thinner than twice this are spurs, not brain
HULL_CLOSING = 14.0  # mm: how far the inner skull bridges over fissures


@dataclass(frozen=True)
class Template:
    """Tissue maps (1 mm) and distance maps (2 mm) of one average head.

    `grey`, `white`: fractions [0, 1]; `brain`: 0 or 1; `detail`: how the T1 template differs from
    the mean of its three tissues (iron-rich nuclei, cerebellum), in units of white matter = 1.
    Distances are signed, in mm, negative inside: `brain_distance`, `hull_distance` (inner table of
    the skull), `ventricle_distance`; `ventricle_normal` [3, ...] points out of the ventricles.
    """

    grey: np.ndarray
    white: np.ndarray
    brain: np.ndarray
    detail: np.ndarray
    brain_distance: np.ndarray
    hull_distance: np.ndarray
    ventricle_distance: np.ndarray
    ventricle_normal: np.ndarray


def sample(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Linear interpolation of a template map at points (mm) [3, ...]; outside, the edge repeats."""
    step = np.float32(1 if values.shape == TEMPLATE_SHAPE else COARSE)
    origin = np.array(TEMPLATE_ORIGIN, np.float32).reshape(3, *[1] * (points.ndim - 1))
    return ndimage.map_coordinates(values, (points - origin) / step, order=1, mode="nearest")


def load_template() -> Template:
    """Read the template and draw the distance maps (about three seconds)."""
    t1, grey, white = (read_map(name) for name in ("t1", "gm", "wm"))
    brain = _brain_mask(t1, grey + white)
    fluid = np.clip(1 - grey - white, 0, 1)
    detail = np.where(brain, t1 - (0.27 * fluid + 0.65 * grey + 0.87 * white), 0)
    detail = ndimage.gaussian_filter(np.clip(detail, -0.12, 0.12), 0.7) / 0.87
    brain_distance = signed_distance(brain[_EVERY_SECOND])
    ventricle_distance = signed_distance(
        _ventricles(fluid[_EVERY_SECOND], brain_distance), smoothing=1.0
    )
    return Template(
        grey=grey * brain,
        white=white * brain,
        brain=brain.astype(np.float32),
        detail=detail.astype(np.float32),
        brain_distance=brain_distance,
        hull_distance=_hull_distance(brain_distance),
        ventricle_distance=ventricle_distance,
        ventricle_normal=np.stack(np.gradient(ventricle_distance, COARSE)).astype(np.float32),
    )


def read_map(name: str) -> np.ndarray:
    """A map of the template with the maximum 1, as by nilearn.datasets.load_mni152_template.

    Importing nilearn.datasets takes longer than reading the file here.
    """
    folder = files("nilearn") / "datasets" / "data"
    image = nib.load(str(folder / f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz"))
    values = np.asarray(image.dataobj).astype(np.float32)
    return values / values.max()


def signed_distance(mask: np.ndarray, *, smoothing: float = 0.5) -> np.ndarray:
    """Distance (mm) to a mask's surface on the 2 mm maps, negative inside, slightly smoothed."""
    outside = ndimage.distance_transform_edt(~mask)
    inside = ndimage.distance_transform_edt(mask)
    distance = np.where(mask, 0.5 - inside, outside - 0.5).astype(np.float32)
    return COARSE * ndimage.gaussian_filter(distance, smoothing)


def _brain_mask(t1: np.ndarray, tissue: np.ndarray) -> np.ndarray:
    """The brain mask of the template, with the fluid inside and between folds, without spurs."""
    coarse = signed_distance(((t1 > BRAIN_THRESHOLD) & (tissue > 0.5))[_EVERY_SECOND])
    closed = signed_distance(coarse < FOLD_CLOSING) < -FOLD_CLOSING
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in closed.T]).T
    parts, count = ndimage.label(signed_distance(signed_distance(filled) < -OPENING) < OPENING)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    whole = (parts == 1 + np.argmax(sizes[1:])).astype(np.float32)
    shape = [np.arange(size) / COARSE for size in t1.shape]
    fine = ndimage.map_coordinates(
        whole, np.meshgrid(*shape, indexing="ij"), order=1, mode="nearest"
    )
    return fine > 0.5


def _hull_distance(brain_distance: np.ndarray) -> np.ndarray:
    """Distance to the inner skull: to the surface of the brain after its fissures were closed."""
    grown = signed_distance(brain_distance < HULL_CLOSING)
    return ndimage.gaussian_filter(signed_distance(grown < -HULL_CLOSING), 1.5)


def _ventricles(fluid: np.ndarray, brain_distance: np.ndarray) -> np.ndarray:
    """Lateral and third ventricle on the 2 mm maps: deep fluid within their usual box."""
    x, y, z = (
        (start + COARSE * np.arange(size)).reshape([-1 if axis == own else 1 for axis in range(3)])
        for own, (start, size) in enumerate(zip(TEMPLATE_ORIGIN, fluid.shape, strict=True))
    )
    # ASSUME: the ventricles are the fluid deeper than 16 mm inside this box of the ICBM152 space,
    # without the temporal horns, since insula and hippocampal fissure are next to them.
    box = (np.abs(x) < 38) & (y > -52) & (y < 40) & (z > -6) & (z < 34)
    insula = (np.abs(x) > 26) & (y > -30)
    return (fluid > 0.5) & (brain_distance < -16) & box & ~insula
