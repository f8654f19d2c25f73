"""A diffusion model whose encoder sees a part of each slice.

The paper cuts the encoder's input to half of its width (its experiment on the conditioning). The
diffusion model itself gets the whole slice, noised.
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
from brainuad.models import Method
from brainuad.models.diffusion import Diffusion

# ASSUME: the hidden part is black as the background, and the slice keeps its size, so that the
# encoder sees slices of the size that it was trained on.
BACKGROUND = 0.0


def seen_part(images: Tensor, share: float) -> Tensor:
    """Slices [..., H, W] of which that share of the width is left, and the rest is background."""
    # ASSUME: the patient's left side is seen, where x is small; brains are all but mirrored.
    width = images.shape[WIDTH]
    hidden = torch.arange(width, device=images.device) >= seen_width(width, share)
    return images.masked_fill(hidden[:, None], BACKGROUND)


@dataclass(frozen=True)
class CutCondition:
    """A diffusion model whose encoder sees that share of each slice's width."""

    method: Diffusion
    share: float

    @property
    def network(self) -> torch.nn.Module:
        """The method's own."""
        return self.method.network

    def reconstruct(
        self, images: Tensor, *, timesteps: Sequence[int], subject_keys: Tensor, places: Tensor
    ) -> Tensor:
        """As the method does, with the condition of the seen part; see `methods.Method`."""
        return self.method.reconstruct(
            images,
            timesteps=timesteps,
            subject_keys=subject_keys,
            places=places,
            seen_by_encoder=seen_part(images, self.share),
        )


def reconstruct_by_share(
    volume: SliceStack,
    method: Method,
    *,
    timesteps: Sequence[int],
    shares: Sequence[float],
    seed: int,
    device: Device,
) -> np.ndarray:
    """Reconstructions float32 [T, C, S, H, W] of a single volume, for each timestep and share.

    The noise is the same for all shares. To a method without a condition the shares are all one:
    there the work is done once.
    """
    views: list[Method | CutCondition] = [method]
    if isinstance(method, Diffusion) and method.has_condition:
        views = [CutCondition(method, share) for share in shares]
    subjects = volume.subjects.tolist()
    painted = [
        reconstruct_volumes(
            view, volume.images, subjects, timesteps=[timestep], seed=seed, device=device
        )
        for timestep in timesteps
        for view in views
    ]
    by_view = np.concatenate(painted).reshape(len(timesteps), len(views), *volume.images.shape[1:])
    return np.repeat(by_view, len(shares) // len(views), axis=1)
