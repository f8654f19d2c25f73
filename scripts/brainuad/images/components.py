"""Connected components of masks: voxels that share a face, an edge or a corner belong together."""

import numpy as np
from scipy import ndimage


def label_components(mask: np.ndarray) -> np.ndarray:
    """Number the components of a mask, the largest first: unsigned of its shape, from 1 on."""
    components, count = ndimage.label(mask, structure=np.ones((3,) * mask.ndim))
    sizes = np.bincount(components.ravel(), minlength=count + 1)[1:]
    ranks = np.zeros(count + 1, np.result_type(np.uint16, np.min_scalar_type(count)))
    ranks[1 + np.argsort(-sizes, kind="stable")] = np.arange(1, count + 1)
    return ranks[components]
