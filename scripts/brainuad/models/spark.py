"""SparK pretraining (Tian et al. 2023) for the training loop; it does not reconstruct scans."""

import dataclasses
from typing import Any

import torch
from torch import Tensor

from brainuad.config.kinds.spark import SparkSettings
from brainuad.config.settings import settings_from
from brainuad.networks.spark import SparK, masked_patch_loss


class SparkPretraining:
    """Reconstructs hidden patches, with an L2 loss on these only."""

    def __init__(self, settings: SparkSettings) -> None:
        self.network = SparK(**dataclasses.asdict(settings))

    def training_loss(self, images: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Mean squared error of the hidden patches of slices [B, 1, H, W]."""
        return self._loss(images, generator)

    def validation_loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The same loss: only the masks are random, and the generator determines them."""
        return self._loss(images, generator)

    def _loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        visible = self.network.random_visible(images, generator)
        return masked_patch_loss(self.network(images, visible), images, visible)


def build(settings: dict[str, Any]) -> SparkPretraining:
    """Build the pretraining from the config's plain values."""
    return SparkPretraining(settings_from(SparkSettings, settings))
