"""Measures of the quality of preprocessed scans.

The functions take arrays and return numbers. The module `outliers` finds the scans that stand out.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import ndimage
from scipy.special import entr

from brainuad.images.mask_labels import LESION

# Grey levels of each image in the joint histogram.
LEVELS = 32
# ASSUME: noise and the folds of the cortex, which differ between people, are smoothed away before
# scan and template are compared. With this, phantoms that are misregistered by 8 mm or 10 degrees
# are outliers.
SMOOTHING_MM = 2.0
# The stage of a scan that was preprocessed, but could not be measured or drawn.
INSPECTED = "inspected"


class Concern(StrEnum):
    """Whether low values, high values, or both are a reason to look at a scan."""

    LOW = "low"
    HIGH = "high"
    BOTH = "both"


@dataclass(frozen=True)
class Measure:
    """A column of the quality table, how it is shown, and when a value is an outlier.

    scale, digits, unit   the value is shown times `scale`, rounded to `digits`
    smallest_spread       smaller differences do not count, however similar the other values are
    limit                 a value beyond it, on the side of concern, is flagged in any data set
    optional              a scan may lack it, such as a scan without a lesion
    """

    name: str
    label: str
    short: str
    meaning: str
    concern: Concern
    smallest_spread: float
    scale: float = 1.0
    digits: int = 2
    unit: str = ""
    limit: float | None = None
    optional: bool = False

    def text(self, value: float) -> str:
        """The value with its unit, as shown; a dash if it is NaN."""
        return "\u2013" if np.isnan(value) else f"{value * self.scale:,.{self.digits}f}{self.unit}"


# ASSUME: the smallest spreads are differences that a careful reader would not consider.
# ASSUME: the limits hold for any scanner, so that a data set whose scans all failed is flagged too.
# Well-registered phantoms have a mutual information of 0.08 to 0.20 with the template and an
# overlap of 95 % or more; phantoms that are rotated by 45 to 180 degrees or shifted by 32 mm have
# 0.01 to 0.04, and an overlap of 68 to 86 %. A lesion of the cortex may cross the edge of the brain
# mask, but not with half of its volume.
MEASURES = (
    Measure(
        "mutual_information",
        "Mutual information",
        "information",
        "How well the template predicts the scan, voxel by voxel within the template's brain: "
        "0 not at all, 1 perfectly. Low if the registration failed or the image is unusual.",
        Concern.LOW,
        smallest_spread=0.01,
        limit=0.03,
    ),
    Measure(
        "overlap",
        "Overlap with the template",
        "overlap",
        "Dice of the registered brain mask and the template's brain. Low if the registration or "
        "the brain mask failed.",
        Concern.LOW,
        smallest_spread=0.01,
        scale=100,
        digits=1,
        unit="\u00a0%",
        limit=0.8,
    ),
    Measure(
        "brain_ml",
        "Brain volume",
        "brain",
        "Volume of the brain mask as outlined on the scan (in the template's space if scans "
        "came registered). Low if brain was cut off, high if skull or neck was left.",
        Concern.BOTH,
        smallest_spread=30.0,
        digits=0,
        unit="\u00a0ml",
    ),
    # ASSUME: a field of view that ends at the brain, or in the brain stem, cuts less than 20 cm2 in
    # slices of up to 4 mm; one that leaves out a centimetre of brain cuts more.
    Measure(
        "cut_cm2",
        "Brain cut off",
        "cut",
        "Area of the brain mask on the side of the scan's field of view that cuts most of it. High "
        "if a part of the brain was not scanned, such as the vertex or the cerebellum: what lies "
        "there is neither seen nor missed by any score.",
        Concern.HIGH,
        smallest_spread=5.0,
        digits=0,
        unit="\u00a0cm\u00b2",
        limit=20.0,
        optional=True,
    ),
    Measure(
        "intensity_range",
        "Intensity range",
        "range",
        "The 99th minus the 1st percentile within the brain, over its median. Unusual if "
        "intensities are clipped, flat, or dominated by an artefact.",
        Concern.BOTH,
        smallest_spread=0.1,
    ),
    Measure(
        "lesion_outside",
        "Lesion outside",
        "outside",
        "Share of the lesion outside the brain mask. High if brain was cut off, or if the lesion "
        "mask belongs to another scan.",
        Concern.HIGH,
        smallest_spread=0.05,
        scale=100,
        digits=1,
        unit="\u00a0%",
        limit=0.5,
        optional=True,
    ),
)


def smoothed(data: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """A volume smoothed for the comparison with the template, float32."""
    return ndimage.gaussian_filter(data.astype(np.float32), SMOOTHING_MM / spacing, truncate=2.5)


def mutual_information(first: np.ndarray, second: np.ndarray) -> float:
    """Normalised mutual information 2 I / (H1 + H2) of two sets of values [N]: 0 none, 1 all.

    The histograms have 32 levels between the 1st and 99th percentiles of each. NaN if one of the
    two has no range.
    """
    levels = [_levels(values) for values in (first, second)]
    if any(level is None for level in levels):
        return float("nan")
    joint = np.bincount(levels[0] * LEVELS + levels[1], minlength=LEVELS**2)
    joint = joint.reshape(LEVELS, LEVELS) / joint.sum()
    alone = entr(joint.sum(axis=1)).sum() + entr(joint.sum(axis=0)).sum()
    return float(2 * (alone - entr(joint).sum()) / alone) if alone else float("nan")


def _levels(values: np.ndarray) -> np.ndarray | None:
    if not np.size(values):
        return None
    low, high = np.percentile(values, (1, 99))
    if low == high:
        return None
    return np.clip((values - low) * (LEVELS / (high - low)), 0, LEVELS - 1).astype(np.int64)


def intensity_range(values: np.ndarray) -> float:
    """(p99 - p1) / median of the values within the brain; NaN without values or for median 0."""
    if not np.size(values):
        return float("nan")
    low, middle, high = np.percentile(values, (1, 50, 99))
    return float((high - low) / middle) if middle else float("nan")


def lesion_outside(lesions: np.ndarray, brain: np.ndarray) -> float:
    """Share of the lesion voxels (label 1) outside a bool brain mask; NaN without a lesion."""
    lesion = lesions == LESION
    count = np.count_nonzero(lesion)
    return np.count_nonzero(lesion & ~brain) / count if count else float("nan")


def cut_cm2(brain: np.ndarray, spacing: np.ndarray) -> float:
    """The largest area in cm2 of a bool brain mask [X, Y, Z] on one of the sides of its grid.

    spacing is that of the voxels in mm.
    """
    areas = spacing.prod() / spacing / 100
    return max(
        float(np.count_nonzero(brain.take(side, axis)) * area)
        for axis, area in enumerate(areas)
        for side in (0, -1)
    )


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Dice of two bool masks of the same shape; NaN if both are empty."""
    size = np.count_nonzero(first) + np.count_nonzero(second)
    return 2 * np.count_nonzero(first & second) / size if size else float("nan")


# Fluid closer to the surface is in sulci, which are too fine to be drawn.
RIM_MM = 20.0
SMALLEST_MM3 = 1000.0


def template_edges(data: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The template's brain, and the fluid deep in it (the ventricles), as masks [X, Y, Z]."""
    smooth = ndimage.gaussian_filter(data.astype(np.float32), 1 / spacing)
    tissue = np.median(data[data > 0])
    brain = ndimage.binary_fill_holes(smooth > 0.25 * tissue)
    depth = ndimage.distance_transform_edt(brain, sampling=spacing)
    fluid = (smooth < 0.7 * tissue) & (depth > RIM_MM)
    labels, _ = ndimage.label(fluid)
    sizes = np.bincount(labels.ravel()) * np.prod(spacing)
    sizes[0] = 0
    return brain, (sizes >= SMALLEST_MM3)[labels]
