"""Thresh: the intensity itself is the anomaly score (Meissen et al., 2022).

The reconstruction is all zeros, so that |x - 0| = |x| is x but for what splines left below 0, and
everything behind it is the same as for any other method. There is nothing to train.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from brainuad.config.settings import settings_from
from brainuad.io.errors import SettingsError


@dataclass(frozen=True)
class ThreshSettings:
    """Thresh has no settings."""


class Thresh:
    """Reconstructs nothing."""

    def __init__(self) -> None:
        self.network = nn.Module()

    def training_loss(self, images: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """The mean intensity, which no training can change."""
        return images.abs().mean()

    def validation_loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The mean intensity."""
        return images.abs().mean()

    def load_pretrained(self, path: Path) -> None:
        """Raise SettingsError: there is nothing to load into."""
        raise SettingsError(f"thresh has no encoder that could start from {path}; set it to null")

    def reconstruct(
        self, images: Tensor, *, timesteps: Sequence[int], subject_keys: Tensor, places: Tensor
    ) -> Tensor:
        """Zeros of the images' shape."""
        return torch.zeros_like(images)


def build(settings: dict[str, Any]) -> Thresh:
    """Build the method; any setting is an error."""
    settings_from(ThreshSettings, settings)
    return Thresh()
