"""DAE: a U-Net that learns to remove coarse noise, and removes lesions like noise.

Kascenas et al. 2022, "Denoising autoencoders for unsupervised anomaly detection in brain MRI"
(MIDL). It has no bottleneck, and learns healthy anatomy by removing noise from healthy slices.
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
    """Learns to remove noise; no noise is added to a scan that is reconstructed."""

    def __init__(self, settings: DenoisingAutoencoderSettings) -> None:
        self.settings = settings
        self.network = DenoisingUNet(**dataclasses.asdict(settings.network))

    def training_loss(self, images: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Squared error of the foreground, averaged over all pixels of the slices."""
        return self._loss(images, generator)

    def validation_loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The same loss: only the noise is random, and the generator determines it."""
        return self._loss(images, generator)

    def _loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        foreground = images > FOREGROUND
        noised = images + self._noise(images, generator) * foreground
        return ((self.network(noised) - images).square() * foreground).mean()

    def _noise(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """A noise field per slice [B, 1, H, W], drawn on a coarse grid, enlarged and shifted."""
        count, size = len(images), images.shape[-2:]
        grid = (count, 1, self.settings.noise.resolution, self.settings.noise.resolution)
        drawn = torch.randn(grid, generator=generator) * self.settings.noise.deviation
        shifts = [int(torch.randint(length, (), generator=generator)) for length in size]
        enlarged = functional.interpolate(
            to_device(drawn, images.device), size, mode="bilinear", align_corners=True
        )
        # All slices have the same circular shift, as in the code of the DAE's authors.
        return enlarged.roll(shifts, dims=(2, 3))

    def reconstruct(
        self,
        images: Tensor,
        *,
        timesteps: Sequence[int],
        subject_seeds: Tensor,
        slice_indices: Tensor,
    ) -> Tensor:
        """The output of the network for the scan, clipped to [0, 1].

        The background is that of the scan, since the network has not learned it.
        """
        return torch.where(images > FOREGROUND, self.network(images), images).clamp(0, 1)


def build(settings: dict[str, Any]) -> DenoisingAutoencoder:
    """Build the model from the config's plain values."""
    return DenoisingAutoencoder(settings_from(DenoisingAutoencoderSettings, settings))
