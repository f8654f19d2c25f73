"""Change the contrast of scans by a power law: intensities x become x^gamma."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from brainuad.images.slices import SliceStack
from brainuad.io.stored_arrays import StoredArray


def change_contrast(images: np.ndarray, gamma: float) -> np.ndarray:
    """Intensities of any shape to the power of gamma, of the same type."""
    # ASSUME: intensities below 0, from splines that overshoot, keep their sign under changed
    # contrast, as in torchio's gamma.
    return np.copysign(np.abs(images) ** gamma, images)


def with_contrast(stack: SliceStack, gamma: float) -> SliceStack:
    """The stack with changed contrast, which is computed each time a volume is read."""
    return replace(stack, images=_ChangedImages(stack.images, gamma))


class _ChangedImages:
    """Images [N, S, H, W] that are changed when rows are read; it reads like a StoredArray."""

    def __init__(self, images: np.ndarray | StoredArray, gamma: float) -> None:
        self.shape = images.shape
        self.ndim = images.ndim
        self._images = images
        self._gamma = gamma

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, key: int | Sequence[int] | slice | tuple[int, ...]) -> np.ndarray:
        return change_contrast(self._images[key], self._gamma)
