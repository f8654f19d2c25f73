"""DISYRE: a diffusion model whose corruption is a synthetic anomaly in place of noise.

Naval Marimont et al. 2024, "DISYRE: Diffusion-Inspired SYnthetic REstoration for Unsupervised
Anomaly Detection" (ISBI, arXiv 2311.15453), with the anomalies of its second version (arXiv
2407.06635). The network is told how severe the anomaly is, and restores the healthy slice.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from brainuad.compute.device import to_device
from brainuad.config.kinds.disyre import DisyreSettings
from brainuad.config.settings import settings_from
from brainuad.corruption.anomalies import with_anomalies
from brainuad.networks.unet import UNet

# ASSUME: severity is linear in the timestep. In the authors' code, which has as many timesteps, it
# follows a schedule of betas.
LAST_TIMESTEP = 99


class Disyre:
    """Learns to restore slices from anomalies of severity 0 to 1; restores scans step by step."""

    def __init__(self, settings: DisyreSettings) -> None:
        self.settings = settings
        self.passes_per_timestep = settings.restorations
        self.network = UNet(**dataclasses.asdict(settings.network), condition_width=None)

    def training_loss(self, images: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Mean squared error of the restored slices, at severities drawn uniformly from 0 to 1."""
        return self._loss(images, torch.rand(len(images), generator=generator), generator)

    def validation_loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The same on an even grid of severities over the batch."""
        return self._loss(images, (torch.arange(len(images)) + 0.5) / len(images), generator)

    def _loss(self, images: Tensor, severities: Tensor, generator: torch.Generator) -> Tensor:
        anomalous = with_anomalies(images, generator)
        shares = to_device(severities, images.device)[:, None, None, None]
        restored = self._restored(torch.lerp(images, anomalous, shares), severities)
        return (restored - images).square().mean()

    def reconstruct(
        self,
        images: Tensor,
        *,
        timesteps: Sequence[int],
        subject_seeds: Tensor,
        slice_indices: Tensor,
    ) -> Tensor:
        """Restore the scan, first as if all of it were anomalous, then as if less and less were.

        After each step the anomaly that is left is as severe as the next step expects (cold
        diffusion; Bansal et al. 2022, algorithm 2). Cut to [0, 1]; there is no chance in it.
        """
        # ASSUME: the anomaly map is the difference between scan and last restoration, as for the
        # paper's other models. The authors take the mean difference of all steps.
        count = self.settings.restorations
        for left in range(count, 0, -1):
            restored = self._restored(images, torch.full((len(images),), left / count))
            images = torch.lerp(restored, images, (left - 1) / left)
        return images.clamp(0, 1)

    def _restored(self, images: Tensor, severities: Tensor) -> Tensor:
        """The slices without anomalies of severities [B], 0 to 1."""
        timesteps = (severities * LAST_TIMESTEP).round().long()
        return self.network(images, to_device(timesteps, images.device))


def build(settings: dict[str, Any]) -> Disyre:
    """Build the model from the config's plain values."""
    return Disyre(settings_from(DisyreSettings, settings))
