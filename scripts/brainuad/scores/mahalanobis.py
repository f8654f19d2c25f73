"""How far a scan lies outside the distribution of its reconstructions, and how unlike their mean.

Behrendt et al., "Leveraging the Mahalanobis distance to enhance unsupervised brain MRI anomaly
detection" (MICCAI 2024, arXiv 2407.12474): where samples of a diffusion model differ anyway, a
residual says little; and pixels that vary together are not anomalous one by one.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import ndimage

from brainuad.config.settings import settings_from
from brainuad.images.similarity import gaussian_similarity

# As released: added to the variance of each pixel, and the width of both Gaussians in voxels.
REGULARIZATION = 0.01
SIGMA = 1.0
# The inverse covariance is written out in parts: a whole one does not fit into the cache.
ROWS_AT_A_TIME = 256


@dataclass(frozen=True)
class Mahalanobis:
    """as_released: whether distances are computed as in the released code.

    There the inverse covariance is cut to half precision, and the distances of each volume are
    stretched from 0 to 1, so that a threshold means something else in each scan. Its timestep, too,
    is one less than its config says: the method needs timesteps [499] for its 500.
    """

    as_released: bool = False
    needs_reconstruction: ClassVar[bool] = True
    needs_samples: ClassVar[bool] = True

    def __call__(
        self, image: np.ndarray, reconstruction: np.ndarray, brain_mask: np.ndarray
    ) -> np.ndarray:
        """Smoothed distances from the samples [K, S, H, W] times 1 - SSIM; 0 outside the brain.

        Raises ValueError for fewer than two samples, and for unequal shapes.
        """
        if reconstruction.ndim != 4 or len(reconstruction) < 2:
            raise ValueError(
                "the Mahalanobis distance needs two samples of the reconstruction or more, "
                f"[K, S, H, W]; got shape {reconstruction.shape}"
            )
        # Shapes are compared here.
        mean = reconstruction.mean(axis=0)
        similarity = gaussian_similarity(image, mean, SIGMA, brain_mask)
        distance_of = released_distances if self.as_released else distances
        found = np.zeros_like(image)
        for number, inside in enumerate(brain_mask):
            samples = reconstruction[:, number][:, inside]
            found[number][inside] = distance_of(image[number][inside], samples)
        if self.as_released:
            # The lowest is 0, that of the background.
            found /= found.max() or 1
        # ASSUME: distances are smoothed across the brain's border, where they fall to 0, as
        # released.
        smoothed = ndimage.gaussian_filter(found, SIGMA)[brain_mask]
        found = np.zeros_like(image)
        found[brain_mask] = smoothed * np.maximum(1 - similarity, 0)
        return found


def distances(pixels: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """What each pixel adds to the Mahalanobis distance of a slice, float64 [P].

    pixels [P] are those of the brain, samples [K, P] their reconstructions. With d the difference
    from the mean and S the regularized covariance, it is the root of d * (S^-1 d), and 0 where that
    product is negative: the whole distance is the root of their sum.
    """
    difference, deviations, inner = _decomposed(pixels, samples)
    # Woodbury's identity: S has rank K - 1 beside its diagonal, so that a matrix of K x K is
    # inverted and not one of P x P.
    explained = deviations.T @ np.linalg.solve(inner, deviations @ difference)
    return _root_of_products(difference, (difference - explained) / REGULARIZATION)


def released_distances(pixels: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """The same with the inverse covariance in half precision, for which it is written out."""
    difference, deviations, inner = _decomposed(pixels, samples)
    explaining = np.linalg.solve(inner, deviations)
    weighted = np.empty_like(difference)
    for start in range(0, len(difference), ROWS_AT_A_TIME):
        rows = slice(start, start + ROWS_AT_A_TIME)
        inverse = -(deviations[:, rows].T @ explaining) / REGULARIZATION
        places = np.arange(len(inverse))
        inverse[places, start + places] += 1 / REGULARIZATION
        weighted[rows] = inverse.astype(np.float16) @ difference
    return _root_of_products(difference, weighted)


def _decomposed(
    pixels: np.ndarray, samples: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The difference from the mean [P], deviations from it [K, P], and Woodbury's inner matrix."""
    mean = samples.mean(axis=0, dtype=np.float64)
    deviations = samples - mean
    diagonal = REGULARIZATION * (len(samples) - 1) * np.eye(len(samples))
    return pixels - mean, deviations, deviations @ deviations.T + diagonal


def _root_of_products(difference: np.ndarray, weighted: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(difference * weighted, 0))


def build(settings: dict[str, Any]) -> Mahalanobis:
    """Build the score from the config's plain values."""
    return settings_from(Mahalanobis, settings)
