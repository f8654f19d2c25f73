"""Structural similarity (SSIM; Wang et al., IEEE TIP 2004) about each voxel of two volumes."""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

# ASSUME: SSIM takes intensities to range from 0 to 1, as they do between two percentiles of the
# brain, so that all scans are compared by the same constants. The released scores take the largest
# range of scan and reconstruction, which depends on what overshoots 1.
C1, C2 = 0.01**2, 0.03**2
# Where the released windows end, in standard deviations.
RELEASED_REACH = 3.5


def local_similarity(
    image: np.ndarray, reconstruction: np.ndarray, blur: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """SSIM of two volumes about each voxel, -1 to 1; of the type and shape of what `blur` returns.

    blur  the weighted mean of a volume about each voxel

    Raises ValueError for unequal shapes.
    """
    if image.shape != reconstruction.shape:
        raise ValueError(
            f"the image has shape {image.shape}, its reconstruction {reconstruction.shape}"
        )
    x, y = image, reconstruction
    mean_x, mean_y = blur(x), blur(y)
    variances = blur(x * x + y * y) - mean_x**2 - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    contrast = (2 * covariance + C2) / (variances + C2)
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return luminance * contrast


def gaussian_similarity(image: np.ndarray, reconstruction: np.ndarray, sigma: float) -> np.ndarray:
    """SSIM of two volumes [S, H, W] about each voxel, in a Gaussian window of sigma voxels.

    The window is three-dimensional, reaches 3.5 sigma and sees the volumes mirrored at their
    borders, as in the released scores.
    """

    def blur(volume: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(volume, sigma, mode="mirror", truncate=RELEASED_REACH)

    return local_similarity(image, reconstruction, blur)
