"""FAE: an autoencoder of feature maps, which maps anomalies and does not reconstruct the brain.

Meissen et al. 2023, "Unsupervised anomaly localization with structural feature-autoencoders"
(BrainLes 2022, arXiv 2208.10992). It learns to reconstruct the features that a pretrained network
has for healthy slices; an anomaly is where the reconstruction of the feature maps fails.
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
    """Frozen features, and the autoencoder that learns to reconstruct them."""

    def __init__(self, settings: FaeSettings) -> None:
        self.settings = settings
        # ASSUME: FAE's features are those of the encoder that SparK pretrains here, unless the user
        # gives weights of a ResNet-18 trained on photographs, which its authors use.
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
        """The mean of the anomaly maps at the size of the features; only dropout is random."""
        return self._maps(images).mean()

    def validation_loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The same as in training, without dropout."""
        return self._maps(images).mean()

    def _maps(self, images: Tensor) -> Tensor:
        """The mean of (1 - SSIM) / 2 over all feature maps [B, 1, h, w], 0 to 1."""
        # ASSUME: FAE gets the same slices as all models. Its authors equalize their histograms.
        features = self.network["features"](resized(images, self.settings.size))
        similarity = self.network["similarity"](self.network["autoencoder"](features), features)
        return (1 - similarity).mean(1, keepdim=True) / 2

    def load_pretrained(self, path: Path) -> None:
        """Load the features from SparK's encoder, or from a ResNet-18 with torchvision's names.

        The latter is a safetensors file. Raises SettingsError if names or shapes differ.
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
        """The anomaly map, 0 to 1, instead of a reconstruction; see `models.Model`."""
        return resized(self._maps(images), images.shape[-2:]).clamp(0, 1)


def build(settings: dict[str, Any]) -> Fae:
    """Build the model from the config's plain values."""
    return Fae(settings_from(FaeSettings, settings))
