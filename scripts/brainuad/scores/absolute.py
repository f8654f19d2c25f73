"""The absolute residual |image - reconstruction|, the paper's anomaly score."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brainuad.config.settings import settings_from


@dataclass(frozen=True)
class Absolute:
    """It has no settings."""

    needs_reconstruction: ClassVar[bool] = True

    def __call__(
        self, image: np.ndarray, reconstruction: np.ndarray, brain_mask: np.ndarray
    ) -> np.ndarray:
        """|image - reconstruction|, voxel by voxel; ValueError for unequal shapes."""
        if image.shape != reconstruction.shape:
            raise ValueError(
                f"the image has shape {image.shape}, its reconstruction {reconstruction.shape}"
            )
        return np.abs(image - reconstruction)


def build(settings: dict[str, Any]) -> Absolute:
    """Build the score from the config's plain values."""
    return settings_from(Absolute, settings)
