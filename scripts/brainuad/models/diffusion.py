"""Diffusion models that reconstruct in one step: DDPM, and cDDPM with its condition.

Training: noise a healthy slice to a random timestep and predict the clean slice (arXiv 2312.04215,
equations 5 to 8). Reconstruction: noise the slice to a chosen timestep and predict once. With an
encoder, its output for the noise-free slice is the condition.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from brainuad.compute.device import to_device
from brainuad.config.kinds.diffusion import DiffusionSettings
from brainuad.config.settings import settings_from
from brainuad.diffusion.noise import SimplexNoise, permutation_tables
from brainuad.diffusion.process import (
    CosineSchedule,
    to_image_range,
    to_model_range,
)
from brainuad.io.errors import SettingsError
from brainuad.io.seeds import mix_seeds, random_seeds
from brainuad.models.checkpoints import load_strictly, read_backbone
from brainuad.networks.resnet import ResNetEncoder
from brainuad.networks.unet import UNet


class Diffusion:
    """U-Net, noise, schedule and, if there is one, the encoder of the condition."""

    def __init__(self, settings: DiffusionSettings) -> None:
        self.settings = settings
        encoder = settings.encoder
        self.network = nn.ModuleDict(
            {
                "unet": UNet(
                    **dataclasses.asdict(settings.network),
                    condition_width=None if encoder is None else encoder.condition_width,
                )
            }
        )
        if encoder is not None:
            self.network["encoder"] = ResNetEncoder(**dataclasses.asdict(encoder))
        self.schedule = CosineSchedule(settings.schedule)
        self._noise: SimplexNoise | None = None

    @property
    def has_condition(self) -> bool:
        """Whether an encoder sees the noise-free slice."""
        return "encoder" in self.network

    def training_loss(self, images: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Mean |x_0 - prediction| in [-1, 1] at timesteps drawn uniformly from 1 to T."""
        last = self.settings.schedule.timesteps
        timesteps = torch.randint(1, last + 1, (len(images),), generator=generator)
        return self._loss(images, timesteps, generator)

    def validation_loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The same loss at evenly spaced timesteps over the batch."""
        middles = (torch.arange(len(images)) + 0.5) / len(images)
        timesteps = (middles * self.settings.schedule.timesteps).long() + 1
        return self._loss(images, timesteps, generator)

    def _loss(self, images: Tensor, timesteps: Tensor, generator: torch.Generator) -> Tensor:
        fields = 1 if self.settings.noise.shared else len(images)
        noise = self.fields(random_seeds(fields, generator), images)
        predictions = self._predict(images, self._condition(images), timesteps, noise)
        return (to_model_range(images) - predictions).abs().mean()

    def load_pretrained(self, path: Path) -> None:
        """Load the encoder's backbone, strictly; SettingsError if it does not fit."""
        if not self.has_condition:
            raise SettingsError(f"a model without an encoder cannot start from {path}")
        load_strictly(self.network["encoder"].backbone, read_backbone(path), source=path)

    def reconstruct(
        self,
        images: Tensor,
        *,
        timesteps: Sequence[int],
        subject_seeds: Tensor,
        slice_indices: Tensor,
        samples: int = 1,
        seen_by_encoder: Tensor | None = None,
    ) -> Tensor:
        """The mean of one step from each timestep, clipped to [0, 1]; see `models.SamplingModel`.

        seen_by_encoder  slices [B, 1, H, W] for the encoder, if they are not the images, which are
                         noised in any case; without an encoder they have no effect
        """
        last = self.settings.schedule.timesteps
        if not timesteps or not all(1 <= timestep <= last for timestep in timesteps):
            raise SettingsError(f"timesteps {list(timesteps)}: expected numbers from 1 to {last}")
        # ASSUME: in reconstructions, shared noise is one field per subject, which is a batch of the
        # released code's test.
        keys = (
            subject_seeds if self.settings.noise.shared else mix_seeds(subject_seeds, slice_indices)
        )
        condition = self._condition(images if seen_by_encoder is None else seen_by_encoder)
        # ASSUME: reconstructions are clipped to [0, 1] before their mean, unlike in the released
        # code. Scans go slightly beyond this range, where splines overshoot at edges.
        totals = [torch.zeros_like(images) for _ in range(samples)]
        for sample, total in enumerate(totals):
            for timestep in timesteps:
                # Sample 0 has the same noise, however many samples there are.
                noise = self.fields(mix_seeds(keys, timestep + sample * last), images)
                steps = torch.full((len(images),), timestep)
                total += to_image_range(self._predict(images, condition, steps, noise))
        return torch.cat(totals, dim=1) / len(timesteps)

    def _condition(self, images: Tensor) -> Tensor | None:
        return self.network["encoder"](images) if self.has_condition else None

    def _predict(
        self, images: Tensor, condition: Tensor | None, timesteps: Tensor, noise: Tensor
    ) -> Tensor:
        """Predict x_0 in the model's range from images that are noised to timesteps [B], 1 to T."""
        noised = self.schedule.noised(to_model_range(images), noise, timesteps)
        # The network counts timesteps from 0, as released.
        return self.network["unet"](noised, to_device(timesteps - 1, images.device), condition)

    def fields(self, keys: Tensor, images: Tensor) -> Tensor:
        """A noise field for each key, [keys, 1, H, W]; their geometry is computed once."""
        size, device = tuple(images.shape[-2:]), images.device
        if self._noise is None or (self._noise.size, self._noise.device) != (size, device):
            self._noise = SimplexNoise(size, self.settings.noise, device)
        return self._noise.fields(permutation_tables(to_device(keys, device)))


def build(settings: dict[str, Any]) -> Diffusion:
    """Build the model from the config's plain values."""
    return Diffusion(settings_from(DiffusionSettings, settings))
