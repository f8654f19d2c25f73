"""FAE: an autoencoder of feature maps, which maps anomalies and reconstructs no brain.

Meissen et al. 2023, "Unsupervised anomaly localization with structural feature-autoencoders"
(BrainLes 2022, arXiv 2208.10992). What a pretrained network sees in a healthy slice is
reconstructed; where that fails, in any of the feature maps, something is unusual.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from brainuad.config.kinds.fae import FaeSettings
from brainuad.config.settings import settings_from
from brainuad.models.checkpoints import load_strictly, read_backbone
from brainuad.models.shared_weights import read_tensors
from brainuad.networks.features import (
    FeatureAutoencoder,
    Features,
    ResNet18Features,
    SparkFeatures,
    StructuralSimilarity,
    resized,
)
from brainuad.networks.resnet import ResNetBackbone


class Fae:
    """Features that stay as they are, and the autoencoder that learns them."""

    def __init__(self, settings: FaeSettings) -> None:
        self.settings = settings
        # ASSUME: without weights of a ResNet-18 trained on photographs, which its authors take and
        # which must be brought, the features are those of the encoder that SparK pretrains here.
        features: Features = (
            ResNet18Features() if settings.encoder is None else SparkFeatures(self._backbone())
        )
        stride = features.stride * 2 ** len(settings.channels)
        if any(length % stride for length in settings.size):
            raise ValueError(
                f"size must be rows and columns that divide by {stride}, since features are "
                f"{features.stride} times smaller and each of the {len(settings.channels)} stages "
                f"halves them; got {list(settings.size)}"
            )
        self.network = nn.ModuleDict(
            {
                "features": features.requires_grad_(False),
                "autoencoder": FeatureAutoencoder(
                    features=features.channels, channels=settings.channels
                ),
                "similarity": StructuralSimilarity(),
            }
        )

    def _backbone(self) -> ResNetBackbone:
        return ResNetBackbone(**dataclasses.asdict(self.settings.encoder))

    def training_loss(self, images: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """The mean of the anomaly maps at the size of the features; no chance but in layers."""
        return self._maps(images).mean()

    def validation_loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The same, without dropout."""
        return self._maps(images).mean()

    def _maps(self, images: Tensor) -> Tensor:
        """Half of 1 - SSIM, 0 to 1, the mean over all feature maps; [B, 1, h, w]."""
        # ASSUME: slices are as for all models. Its authors equalize their histograms.
        features = self.network["features"](resized(images, self.settings.size))
        similarity = self.network["similarity"](self.network["autoencoder"](features), features)
        return (1 - similarity).mean(1, keepdim=True) / 2

    def load_pretrained(self, path: Path) -> None:
        """Take the features of an encoder of SparK, or of a ResNet-18 with torchvision's names.

        The latter is a safetensors file. Raises SettingsError where names or shapes differ.
        """
        features = self.network["features"]
        if self.settings.encoder is None:
            state = read_tensors(path)
            state = {key: state[key] for key in state if not key.startswith(features.deeper)}
            load_strictly(features, state, source=path)
            return
        backbone = self._backbone()
        load_strictly(backbone, read_backbone(path), source=path)
        features.load_state_dict(SparkFeatures(backbone).state_dict())

    def reconstruct(
        self,
        images: Tensor,
        *,
        timesteps: Sequence[int],
        subject_seeds: Tensor,
        slice_indices: Tensor,
    ) -> Tensor:
        """The anomaly map in place of a reconstruction, 0 to 1; see `models.Model`."""
        return resized(self._maps(images), images.shape[-2:]).clamp(0, 1)


def build(settings: dict[str, Any]) -> Fae:
    """Build the model from the config's plain values."""
    return Fae(settings_from(FaeSettings, settings))
