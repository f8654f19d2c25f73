"""Check that the template that scans are registered to is a stripped, T1-weighted brain."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainuad.images.geometry import head_mask
from brainuad.images.volumes import Volume
from brainuad.io.errors import SettingsError

SPACING_TOLERANCE = 0.01  # fraction of a voxel's edge
# A brain fills about half of its bounding box, so at least this fraction of a volume is outside it.
SMALLEST_OUTSIDE = 0.2
# ASSUME: a stripped human brain, with the fluid in and around it, has 600 to 2500 ml; the ICBM152
# average has 1890. A head whose background is 0 has more than 3400 within that template's box.
BRAIN_ML = (600.0, 2500.0)
# ASSUME: in T1 the brightest third of the brain is deeper than the other two, by this factor. White
# matter is the deepest tissue, and it is the brightest only in T1. The ICBM152 average and T1
# phantoms of 1 to 4 mm have 1.4 to 1.6, and 1.19 without their outer 8 mm; T2 and FLAIR phantoms
# that are blurred by 3 mm have at most 1.06.
DEEPER = 1.1


@dataclass(frozen=True)
class Brain:
    """What was found in a template: modality ("T1") and brain volume in ml."""

    modality: str
    volume: float


def check_brain(template: Volume, *, spacing: float, name: str) -> Brain:
    """Check that a volume [X, Y, Z] is a stripped T1 brain of `spacing` mm, 0 outside.

    Raises SettingsError, one line that starts with `name`, if it is not.
    """
    if not np.allclose(template.spacing, spacing, rtol=SPACING_TOLERANCE, atol=0):
        found = " x ".join(f"{edge:.4g}" for edge in template.spacing)
        raise SettingsError(
            f"{name}: has voxels of {found} mm, preprocessing.spacing is {spacing:g}; "
            "give a template of that voxel size, or set the spacing to that of the template"
        )
    outside = float(np.mean(template.data <= 0))
    if outside < SMALLEST_OUTSIDE:
        raise SettingsError(
            f"{name}: only {100 * outside:.0f} % of its voxels are 0, so its skull was not "
            "stripped; give only the brain, 0 outside"
        )
    brain = head_mask(template.data)
    volume = float(brain.sum() * template.spacing.prod() / 1000)
    if not BRAIN_ML[0] <= volume <= BRAIN_ML[1]:
        raise SettingsError(
            f"{name}: its largest part above 0 has {volume:.0f} ml, but a brain has "
            f"{BRAIN_ML[0]:.0f} to {BRAIN_ML[1]:.0f}; give a whole brain without its skull, 0 "
            "outside"
        )
    dark, middle, bright = depth_of_thirds(template.data, brain)
    if bright < DEEPER * max(dark, middle):
        raise SettingsError(
            f"{name}: its brightest tissue is not the deep white matter, so it is not T1; "
            "give the T1 brain of this template"
        )
    return Brain(modality="T1", volume=volume)


def depth_of_thirds(data: np.ndarray, brain: np.ndarray) -> tuple[float, float, float]:
    """Mean depth, in voxels, of the darkest, the middle and the brightest third of a brain.

    Depth is the distance to the surface of the mask `brain` [X, Y, Z]. Only the order of the
    values counts, so gain, offset and gamma have no effect.
    """
    inside = (brain > 0) & (data > 0)
    depth = ndimage.distance_transform_edt(np.pad(brain, 1))[1:-1, 1:-1, 1:-1][inside]
    thirds = np.digitize(data[inside], np.quantile(data[inside], [1 / 3, 2 / 3]))
    if len(np.unique(thirds)) < 3:
        # A volume of only two values, such as a mask, has no thirds.
        return (float(depth.mean()),) * 3
    return tuple(float(depth[thirds == third].mean()) for third in range(3))
