"""A diffusion model whose encoder sees only a part of each slice.

In the paper's experiment on the conditioning, the encoder sees half of the slice's width. The
diffusion model itself gets the whole noised slice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from brainuad.compute.device import Device
from brainuad.images.slices import SliceStack
from brainuad.inference.reconstruction import reconstruct_volumes
from brainuad.inference.visible_part import WIDTH, seen_width
from brainuad.models import Model
from brainuad.models.diffusion import Diffusion

# ASSUME: the hidden part is black like the background, and the slice keeps its size, so that the
# encoder gets slices of the size that it was trained on.
BACKGROUND = 0.0


def seen_part(images: Tensor, visible_fraction: float) -> Tensor:
    """Slices [..., H, W] with a visible fraction of the width; the rest is background."""
    # ASSUME: the visible part is on the patient's left side, where x is small; brains are almost
    # symmetric.
    width = images.shape[WIDTH]
    hidden = torch.arange(width, device=images.device) >= seen_width(width, visible_fraction)
    return images.masked_fill(hidden[:, None], BACKGROUND)


@dataclass(frozen=True)
class PartialConditioning:
    """A diffusion model whose encoder sees only a fraction of each slice's width."""

    model: Diffusion
    visible_fraction: float

    @property
    def network(self) -> torch.nn.Module:
        """The network of the model."""
        return self.model.network

    def reconstruct(
        self,
        images: Tensor,
        *,
        timesteps: Sequence[int],
        subject_seeds: Tensor,
        slice_indices: Tensor,
    ) -> Tensor:
        """Reconstruct with the condition of the visible part; see `models.Model`."""
        return self.model.reconstruct(
            images,
            timesteps=timesteps,
            subject_seeds=subject_seeds,
            slice_indices=slice_indices,
            seen_by_encoder=seen_part(images, self.visible_fraction),
        )


def reconstruct_by_visible_fraction(
    volume: SliceStack,
    model: Model,
    *,
    timesteps: Sequence[int],
    visible_fractions: Sequence[float],
    seed: int,
    device: Device,
) -> np.ndarray:
    """Reconstructions float32 [T, C, S, H, W] of a single volume, for each timestep and fraction.

    The noise is the same for all fractions. Without a condition all fractions give the same, so
    that the model reconstructs once.
    """
    views: list[Model | PartialConditioning] = [model]
    if isinstance(model, Diffusion) and model.has_condition:
        views = [PartialConditioning(model, fraction) for fraction in visible_fractions]
    reconstructions = [
        reconstruct_volumes(
            view, volume.images, volume.names, timesteps=[timestep], seed=seed, device=device
        )
        for timestep in timesteps
        for view in views
    ]
    shape = (len(timesteps), len(views), *volume.images.shape[1:])
    by_view = np.concatenate(reconstructions).reshape(shape)
    return np.repeat(by_view, len(visible_fractions) // len(views), axis=1)
