"""How unlike its reconstruction a scan is in structure, at several scales at once.

Behrendt et al., "Diffusion models with ensembled structure-based anomaly scoring for unsupervised
anomaly detection" (ISBI 2024, arXiv 2403.14262): large lesions stand out in wide windows, small
ones in narrow windows, so that the SSIM of several windows is averaged. Windows that find a voxel
less similar weigh more.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from brainuad.config.limits import Positive
from brainuad.config.settings import Limits, settings_from
from brainuad.images.similarity import gaussian_similarity

RELEASED_SIGMAS = (0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7)


@dataclass(frozen=True)
class SsimEnsemble:
    """sigmas: of the Gaussian windows, in voxels."""

    sigmas: Annotated[tuple[Positive, ...], Limits(items=(1, None), unique=True)] = RELEASED_SIGMAS
    needs_reconstruction: ClassVar[bool] = True

    def __call__(
        self, image: np.ndarray, reconstruction: np.ndarray, brain_mask: np.ndarray
    ) -> np.ndarray:
        """1 - SSIM, the mean over the windows, weighted by exp(-SSIM); 0 outside the brain.

        Between 0 and 2; ValueError for unequal shapes.
        """
        weighted, weights = np.float32(0), np.float32(0)
        for sigma in self.sigmas:
            similarity = gaussian_similarity(image, reconstruction, sigma, brain_mask)
            weight = np.exp(-similarity)
            weighted = weighted + weight * similarity
            weights = weights + weight
        found = np.zeros_like(image)
        found[brain_mask] = np.maximum(1 - weighted / weights, 0)
        return found


def build(settings: dict[str, Any]) -> SsimEnsemble:
    """Build the score from the config's plain values."""
    return settings_from(SsimEnsemble, settings)
