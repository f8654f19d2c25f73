"""The intensity itself as the anomaly score (Meissen et al., 2022), which takes no model.

Lesions are bright in T2 and FLAIR.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brainuad.config.settings import settings_from


@dataclass(frozen=True)
class Intensity:
    """It has no settings."""

    needs_reconstruction: ClassVar[bool] = False

    def __call__(
        self, image: np.ndarray, reconstruction: np.ndarray | None, brain_mask: np.ndarray
    ) -> np.ndarray:
        """|image|, which is the image but for what splines left below 0."""
        return np.abs(image)


def build(settings: dict[str, Any]) -> Intensity:
    """Build the score from the config's plain values."""
    return settings_from(Intensity, settings)
