"""The score of a model that gives its own anomaly map instead of a reconstruction."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brainuad.config.settings import settings_from


@dataclass(frozen=True)
class OwnMap:
    """The score without settings."""

    needs_reconstruction: ClassVar[bool] = True

    def __call__(
        self, image: np.ndarray, reconstruction: np.ndarray, brain_mask: np.ndarray
    ) -> np.ndarray:
        """The reconstruction, which is the map."""
        return reconstruction


def build(settings: dict[str, Any]) -> OwnMap:
    """Build the score from the config's plain values."""
    return settings_from(OwnMap, settings)
