"""Connected components of masks: voxels that share a face, an edge or a corner are connected."""

import numpy as np
from scipy import ndimage


def label_components(mask: np.ndarray) -> np.ndarray:
    """Number the components of a mask from 1, the largest first: unsigned integers of its shape."""
    components, count = ndimage.label(mask, structure=np.ones((3,) * mask.ndim))
    sizes = np.bincount(components.ravel(), minlength=count + 1)[1:]
    ranks = np.zeros(count + 1, np.result_type(np.uint16, np.min_scalar_type(count)))
    ranks[1 + np.argsort(-sizes, kind="stable")] = np.arange(1, count + 1)
    return ranks[components]
