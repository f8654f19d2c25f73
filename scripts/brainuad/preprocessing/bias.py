"""Correct the smooth intensity changes across a scan (the bias field) by N4."""

from typing import Any

import numpy as np
from scipy import ndimage

from brainuad.config.preprocessing import BiasCorrection
from brainuad.images.volumes import Volume
from brainuad.io.errors import ScanError
from brainuad.preprocessing.registration import from_ants, load_ants, to_ants


def correct_bias_field(
    image: Volume, brain_mask: np.ndarray, settings: BiasCorrection, *, weighted: bool
) -> Volume:
    """Divide a stripped scan by its bias field, float32 [X, Y, Z].

    Tustison et al., N4ITK, IEEE TMI 29 (2010), weighted by the smoothed brain mask or, with
    `weighted` False, without any mask. Voxels outside the mask, where interpolation left
    intensities, are divided too.
    """
    ants = load_ants()
    masks = _masks(image, brain_mask > 0, settings) if weighted else {}
    try:
        # N4 itself would correct only the voxels within its mask, so only its field is used.
        field = ants.n4_bias_field_correction(
            to_ants(Volume(np.maximum(image.data, 0), image.affine)),
            shrink_factor=settings.shrink_factor,
            convergence={"iters": list(settings.iterations), "tol": settings.tolerance},
            return_bias_field=True,
            **masks,
        )
    except (RuntimeError, ValueError) as error:
        raise ScanError(f"the bias correction failed ({error}); check the scan") from error
    with np.errstate(divide="ignore", invalid="ignore"):
        data = (image.data / from_ants(field).data).astype(np.float32)
    if not np.isfinite(data).all():
        raise ScanError("the bias correction gave values that are not finite; check the scan")
    return Volume(data, image.affine)


def _masks(image: Volume, brain: np.ndarray, settings: BiasCorrection) -> dict[str, Any]:
    """Mask and weights of the brain for N4, by ANTsPy's argument names."""
    weights = ndimage.gaussian_filter(
        brain.astype(np.float32), settings.mask_smoothing, truncate=4.0
    )
    # ASSUME: N4 gets the brain mask in addition to the weights, so that the zeros around the brain
    # do not count in its histogram; the released code leaves the mask out.
    return {
        "mask": to_ants(Volume(brain, image.affine)),
        "weight_mask": to_ants(Volume(weights, image.affine)),
    }
