"""How unusual the value of another score is at its place, compared with healthy scans: a z-score.

A residual says what is hard to reconstruct; its z-score says what is unusual here. The reference is
the healthy validation scans, which no model was trained on and no table is made of. Deviation maps
from a normative sample are long established in neuroimaging (for intensities of brain scans: Van
Leemput et al., IEEE TMI 2001; as a framework: Marquand et al., Molecular Psychiatry 2019).
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import ndimage

from brainuad.config.limits import NonNegative, Positive
from brainuad.config.settings import settings_from
from brainuad.images.computed_volumes import ScansWithVolumes
from brainuad.images.distributions import Distribution, pool
from brainuad.images.slices import Scan
from brainuad.scores import Score, load_score, needs_samples, values_of

# Keeps equal healthy scans from a variance of 0; real variances are far larger.
SMALLEST_VARIANCE = 1e-12


@dataclass(frozen=True)
class Normative:
    """The z-score of another score.

    of                   the other score: its kind, and the settings of that kind
    sides                both: |z|; above: z where the value is higher than in healthy scans, else 0
    smoothing            standard deviation in mm of the Gaussian that smooths the values of a scan
    reference_smoothing  the same of mean and variance over the healthy scans
    mirrored_reference   the healthy scans count with their mirror images too: a voxel is compared
                         with its own place and with that on the other side of the brain
    prior                as how many more scans the mean variance in the brain counts at each place,
                         where few scans know the variance badly (Smyth, Stat. Appl. Genet. Mol.
                         Biol. 2004: a moderated t)
    """

    of: dict[str, Any]
    sides: Literal["both", "above"]
    smoothing: NonNegative
    reference_smoothing: NonNegative
    mirrored_reference: bool
    prior: Positive

    needs_reference: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "_of", load_score(self.of))

    @property
    def compared(self) -> Score:
        """The other score."""
        return self._of

    @property
    def needs_reconstruction(self) -> bool:
        return self._of.needs_reconstruction

    @property
    def needs_samples(self) -> bool:
        return needs_samples(self._of)

    def values(self, scan: Scan, reconstruction: np.ndarray | None) -> np.ndarray:
        """What is compared: the other score in the brain, smoothed; float32 [S, H, W]."""
        brain_mask = scan.brain_mask
        values = values_of(self._of, scan.image, reconstruction, brain_mask, signed=True)
        return _smoothed(np.where(brain_mask, values, np.float32(0)), self.smoothing, scan.affine)

    def reference(self, pairs: ScansWithVolumes) -> Distribution:
        """The distribution of the values of healthy scans, each with its reconstruction."""
        return pool(
            (self.values(*pair) for pair in pairs),
            [scan.affine for scan in pairs.scans],
            [scan.name for scan in pairs.scans],
        )

    def z(self, scan: Scan, reconstruction: np.ndarray | None, healthy: Distribution) -> np.ndarray:
        """The map of a scan, float32 [S, H, W], >= 0; 0 outside the brain."""
        # ASSUME: the z-score takes mean and variance of few healthy scans as if they were known, so
        # that its tails are longer than those of a normal distribution. The threshold on healthy
        # scans, each left out of its own reference, takes this up. A subject of several sessions
        # counts with each.
        brain_mask = scan.brain_mask
        if not brain_mask.any():
            return np.zeros(brain_mask.shape, np.float32)
        mean, variance = (
            _smoothed(volume, self.reference_smoothing, scan.affine)
            for volume in self._mean_and_variance(healthy, scan.affine)
        )
        known = len(healthy.names) - 1
        expected = variance[brain_mask].mean()
        variance = (known * variance + self.prior * expected) / (known + self.prior)
        difference = self.values(scan, reconstruction) - mean
        z = difference / np.sqrt(np.maximum(variance, SMALLEST_VARIANCE))
        sided = np.abs(z) if self.sides == "both" else np.maximum(z, 0)
        return np.where(brain_mask, sided, 0).astype(np.float32)

    def _mean_and_variance(
        self, healthy: Distribution, affine: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Those of the values that the voxels of a scan are compared with, each [S, H, W]."""
        mean, deviation = healthy.at(affine)
        # Without any value there is no middle.
        if not self.mirrored_reference or not healthy.mean.any():
            return mean, deviation**2
        opposite_mean, opposite_deviation = healthy.at(_mirrored(affine, healthy))
        # The mean and the variance of two sets of as many values each.
        variance = (deviation**2 + opposite_deviation**2) / 2 + ((mean - opposite_mean) / 2) ** 2
        return (mean + opposite_mean) / 2, variance


def _mirrored(affine: np.ndarray, healthy: Distribution) -> np.ndarray:
    """The affine [4, 4] that gives the voxels the places opposite to theirs."""
    # ASSUME: left and right meet in the plane across the rows in which the mean of the healthy
    # values is most like its mirror image. Not every template has its origin there, nor a symmetric
    # brain.
    mirror = np.diag([-1.0, 1, 1, 1])
    mirror[0, 3] = 2 * _middle(healthy.mean)
    return healthy.affine @ mirror @ np.linalg.inv(healthy.affine) @ affine


def _middle(volume: np.ndarray) -> float:
    """The row, or place between rows, about which a volume [S, H, W] is most symmetric."""
    length = 2 * volume.shape[1]
    spectrum = np.fft.rfft(volume.astype(np.float64), length, axis=1)
    # The product of the volume with its mirror image, by the sum of two rows that meet.
    likeness = np.fft.irfft((spectrum**2).sum(axis=(0, 2)), length)
    best = int(likeness.argmax())
    before, there, after = likeness[[best - 1, best, (best + 1) % length]]
    # The top of the parabola through these three.
    return (best + (before - after) / (before - 2 * there + after) / 2) / 2


def _smoothed(volume: np.ndarray, deviation: float, affine: np.ndarray) -> np.ndarray:
    """A Gaussian of a standard deviation in mm over a volume [S, H, W]."""
    x, y, z = np.linalg.norm(affine[:3, :3], axis=0)
    return ndimage.gaussian_filter(volume, [deviation / size for size in (z, x, y)])


def build(settings: dict[str, Any]) -> Normative:
    """Build the score from the config's plain values."""
    return settings_from(Normative, settings)
