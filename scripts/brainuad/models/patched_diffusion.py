"""pDDPM: a diffusion model that gets a slice without noise, except in a patch to reconstruct.

Behrendt et al. 2023, "Patched diffusion models for unsupervised anomaly detection in brain MRI"
(MIDL, arXiv 2303.03758): the surroundings of the patch guide its reconstruction. At test time the
patches of a grid are reconstructed one after the other and put together.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from brainuad.compute.device import to_device
from brainuad.config.kinds.diffusion import DiffusionSettings
from brainuad.config.kinds.patched_diffusion import PatchedDiffusionSettings
from brainuad.config.settings import settings_from
from brainuad.diffusion.process import to_image_range, to_model_range
from brainuad.io.errors import SettingsError
from brainuad.io.seeds import mix_seeds, random_seeds
from brainuad.models.diffusion import Diffusion


class PatchedDiffusion:
    """The plain DDPM's network, schedule and noise; noise and loss are in one patch."""

    def __init__(self, settings: PatchedDiffusionSettings) -> None:
        self.settings = settings
        self._patches = settings.grid[0] * settings.grid[1]
        self.passes_per_timestep = self._patches
        self._diffusion = Diffusion(
            DiffusionSettings(
                network=settings.network,
                encoder=None,
                noise=settings.noise,
                schedule=settings.schedule,
            )
        )
        self.network = self._diffusion.network

    def training_loss(self, images: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Mean |x_0 - prediction| in [-1, 1] of a random patch per slice, at random timesteps."""
        count, last = len(images), self.settings.schedule.timesteps
        timesteps = torch.randint(1, last + 1, (count,), generator=generator)
        patches = torch.randint(self._patches, (count,), generator=generator)
        return self._loss(images, timesteps, patches, generator)

    def validation_loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The same loss at evenly spaced timesteps over the batch, with the patches in turn."""
        places = torch.arange(len(images))
        middles = (places + 0.5) / len(images)
        timesteps = (middles * self.settings.schedule.timesteps).long() + 1
        return self._loss(images, timesteps, places % self._patches, generator)

    def _loss(
        self, images: Tensor, timesteps: Tensor, patches: Tensor, generator: torch.Generator
    ) -> Tensor:
        fields = 1 if self.settings.noise.shared else len(images)
        noise = self._diffusion.fields(random_seeds(fields, generator), images)
        inside = self._inside(images, patches)
        errors = (to_model_range(images) - self._predict(images, inside, timesteps, noise)).abs()
        # ASSUME: the loss is the mean over the patch. The released loss is the mean over the slice,
        # which is this divided by the number of patches, since the others have no error.
        return (errors * inside).mean() * self._patches

    def reconstruct(
        self,
        images: Tensor,
        *,
        timesteps: Sequence[int],
        subject_seeds: Tensor,
        slice_indices: Tensor,
        samples: int = 1,
    ) -> Tensor:
        """Reconstruct the patches in turn, from each timestep: the mean, clipped to [0, 1]."""
        last = self.settings.schedule.timesteps
        if not timesteps or not all(1 <= timestep <= last for timestep in timesteps):
            raise SettingsError(f"timesteps {list(timesteps)}: expected numbers from 1 to {last}")
        keys = (
            subject_seeds if self.settings.noise.shared else mix_seeds(subject_seeds, slice_indices)
        )
        totals = [torch.zeros_like(images) for _ in range(samples)]
        for sample, total in enumerate(totals):
            for timestep in timesteps:
                # As released, all patches have parts of the same noise field.
                noise = self._diffusion.fields(mix_seeds(keys, timestep + sample * last), images)
                steps = torch.full((len(images),), timestep)
                for patch in range(self._patches):
                    inside = self._inside(images, torch.full((len(images),), patch))
                    reconstructed = to_image_range(self._predict(images, inside, steps, noise))
                    total += torch.where(inside, reconstructed, 0)
        return torch.cat(totals, dim=1) / len(timesteps)

    def _predict(self, images: Tensor, inside: Tensor, timesteps: Tensor, noise: Tensor) -> Tensor:
        """Predict x_0 in the model's range from images that are noised only in the patch."""
        clean = to_model_range(images)
        noised = self._diffusion.schedule.noised(clean, noise, timesteps)
        noised = torch.where(inside, noised, clean)
        # The network counts timesteps from 0, as released.
        return self.network["unet"](noised, to_device(timesteps - 1, images.device))

    def _inside(self, images: Tensor, patches: Tensor) -> Tensor:
        """The mask of each slice's patch, bool [B, 1, H, W]; patches int64 [B] count by rows."""
        rows, columns = self.settings.grid
        height, width = images.shape[-2:]
        if height % rows or width % columns:
            raise SettingsError(
                f"patched_diffusion: slices of {height}x{width} pixels do not divide into a grid "
                f"of {rows}x{columns} patches; choose another grid"
            )
        numbers = torch.arange(self._patches, device=images.device).reshape(rows, columns)
        numbers = numbers.repeat_interleave(height // rows, 0)
        numbers = numbers.repeat_interleave(width // columns, 1)
        return numbers == to_device(patches, images.device)[:, None, None, None]


def build(settings: dict[str, Any]) -> PatchedDiffusion:
    """Build the model from the config's plain values."""
    return PatchedDiffusion(settings_from(PatchedDiffusionSettings, settings))
