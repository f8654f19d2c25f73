"""Correction of the slow intensity changes across a scan (bias field) by N4."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainuad.errors import ScanError
from brainuad.preprocessing.registration import from_ants, load_ants, to_ants
from brainuad.volumes import Volume


@dataclass(frozen=True)
class BiasCorrection:
    """Settings of N4.

    shrink_factor   how much coarser the field is fitted than the image
    iterations      most iterations of each level, coarse to fine
    tolerance       change of the field at which a level ends
    mask_smoothing  sigma in voxels of the Gaussian that turns the brain mask into weights
    """

    shrink_factor: int
    iterations: tuple[int, ...]
    tolerance: float
    mask_smoothing: float


def correct_bias_field(image: Volume, brain_mask: np.ndarray, settings: BiasCorrection) -> Volume:
    """Divide a stripped scan by its bias field: float32 [X, Y, Z], 0 outside the brain mask.

    Tustison et al., N4ITK, IEEE TMI 29 (2010), weighted by the smoothed brain mask.
    """
    ants = load_ants()
    weights = ndimage.gaussian_filter(
        (brain_mask > 0).astype(np.float32), settings.mask_smoothing, truncate=4.0
    )
    # ASSUME: besides the weights N4 gets the brain mask itself, so that the zeros around the brain
    # take no part in its histogram; the released code leaves the mask out.
    try:
        corrected = ants.n4_bias_field_correction(
            to_ants(Volume(np.maximum(image.data, 0), image.affine)),
            mask=to_ants(Volume((brain_mask > 0), image.affine)),
            shrink_factor=settings.shrink_factor,
            convergence={"iters": list(settings.iterations), "tol": settings.tolerance},
            weight_mask=to_ants(Volume(weights, image.affine)),
        )
    except (RuntimeError, ValueError) as error:
        raise ScanError(f"the bias correction failed ({error}); check the scan") from error
    data = np.where(brain_mask > 0, from_ants(corrected).data, 0).astype(np.float32)
    if not np.isfinite(data).all():
        raise ScanError("the bias correction gave values that are not finite; check the scan")
    return Volume(data, image.affine)
