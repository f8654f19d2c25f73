"""DAE: a U-Net that removes coarse noise, and with it what it takes for noise in a patient's scan.

Kascenas et al. 2022, "Denoising autoencoders for unsupervised anomaly detection in brain MRI"
(MIDL). No bottleneck: what it knows of healthy brains comes from the noise it had to remove.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from brainuad.compute.device import to_device
from brainuad.config.kinds.denoising_autoencoder import DenoisingAutoencoderSettings
from brainuad.config.settings import settings_from
from brainuad.corruption import FOREGROUND
from brainuad.networks.denoising import DenoisingUNet


class DenoisingAutoencoder:
    """Learns to remove noise; reconstructs the scan as it is, without any."""

    def __init__(self, settings: DenoisingAutoencoderSettings) -> None:
        self.settings = settings
        self.network = DenoisingUNet(**dataclasses.asdict(settings.network))

    def training_loss(self, images: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Squared error of the foreground, its mean over all pixels of the slices."""
        return self._loss(images, generator)

    def validation_loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The same: the noise is the only chance, and the generator fixes it."""
        return self._loss(images, generator)

    def _loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        foreground = images > FOREGROUND
        noised = images + self._noise(images, generator) * foreground
        return ((self.network(noised) - images).square() * foreground).mean()

    def _noise(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """A field per slice [B, 1, H, W], drawn on the grid, enlarged and shifted."""
        count, size = len(images), images.shape[-2:]
        grid = (count, 1, self.settings.noise.resolution, self.settings.noise.resolution)
        drawn = torch.randn(grid, generator=generator) * self.settings.noise.deviation
        shifts = [int(torch.randint(length, (), generator=generator)) for length in size]
        enlarged = functional.interpolate(
            to_device(drawn, images.device), size, mode="bilinear", align_corners=True
        )
        # All slices are shifted alike, and what leaves at one edge comes back at the other, as in
        # the code of the DAE's authors.
        return enlarged.roll(shifts, dims=(2, 3))

    def reconstruct(
        self,
        images: Tensor,
        *,
        timesteps: Sequence[int],
        subject_seeds: Tensor,
        slice_indices: Tensor,
    ) -> Tensor:
        """The scan without what the network takes for noise, cut to [0, 1].

        The background is that of the scan: the network has not learnt it.
        """
        return torch.where(images > FOREGROUND, self.network(images), images).clamp(0, 1)


def build(settings: dict[str, Any]) -> DenoisingAutoencoder:
    """Build the model from the config's plain values."""
    return DenoisingAutoencoder(settings_from(DenoisingAutoencoderSettings, settings))
