"""The anomaly map that a model makes itself, without a reconstruction."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brainuad.config.settings import settings_from


@dataclass(frozen=True)
class OwnMap:
    """It has no settings."""

    needs_reconstruction: ClassVar[bool] = True

    def __call__(
        self, image: np.ndarray, reconstruction: np.ndarray, brain_mask: np.ndarray
    ) -> np.ndarray:
        """The map, which stands in the place of a reconstruction."""
        return reconstruction


def build(settings: dict[str, Any]) -> OwnMap:
    """Build the score from the config's plain values."""
    return settings_from(OwnMap, settings)
