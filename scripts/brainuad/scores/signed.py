"""The signed residual, image - reconstruction: what `normative` may compare with healthy scans."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brainuad.config.settings import settings_from


@dataclass(frozen=True)
class Signed:
    """It has no settings. As a method's own score it can't be used: maps are not negative."""

    needs_reconstruction: ClassVar[bool] = True

    def __call__(
        self, image: np.ndarray, reconstruction: np.ndarray, brain_mask: np.ndarray
    ) -> np.ndarray:
        """Image - reconstruction, voxel by voxel; ValueError for unequal shapes."""
        if image.shape != reconstruction.shape:
            raise ValueError(
                f"the image has shape {image.shape}, its reconstruction {reconstruction.shape}"
            )
        return image - reconstruction


def build(settings: dict[str, Any]) -> Signed:
    """Build the score from the config's plain values."""
    return settings_from(Signed, settings)
