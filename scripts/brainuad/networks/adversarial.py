"""Generator, critic and encoder of f-AnoGAN: residual networks.

Schlegl et al. 2019, "f-AnoGAN: fast unsupervised anomaly detection with generative adversarial
networks" (Medical Image Analysis 54), with the networks of WGAN-GP (Gulrajani et al. 2017, appendix
on 64x64 residual networks).
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from brainuad.networks.precision import in_full_precision

Norm = Callable[[int], nn.Module]


def layer_norm(channels: int) -> nn.Module:
    """Normalize each slice over all its channels and positions; scale and shift per channel."""
    return nn.GroupNorm(1, channels)


def halved(maps: Tensor) -> Tensor:
    """Average 2x2 pixels."""
    return functional.avg_pool2d(maps, 2)


def doubled(maps: Tensor) -> Tensor:
    """Repeat each pixel 2x2 times."""
    return functional.interpolate(maps, scale_factor=2, mode="nearest")


class HalvingBlock(nn.Module):
    """Twice norm, ReLU and convolution, then half the resolution; plus a 1x1 shortcut."""

    def __init__(self, in_channels: int, out_channels: int, norm: Norm) -> None:
        super().__init__()
        self.first_norm = norm(in_channels)
        self.first_convolution = nn.Conv2d(in_channels, in_channels, 3, padding=1, bias=False)
        self.second_norm = norm(in_channels)
        self.second_convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps [B, in, H, W] to [B, out, H / 2, W / 2]."""
        hidden = self.first_convolution(functional.relu(self.first_norm(maps)))
        hidden = self.second_convolution(functional.relu(self.second_norm(hidden)))
        return self.shortcut(halved(maps)) + halved(hidden)


class DoublingBlock(nn.Module):
    """Norm, ReLU, double the resolution, convolution, norm, ReLU, convolution; plus a shortcut."""

    def __init__(self, in_channels: int, out_channels: int, norm: Norm) -> None:
        super().__init__()
        self.first_norm = norm(in_channels)
        self.first_convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.second_norm = norm(out_channels)
        self.second_convolution = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps [B, in, H, W] to [B, out, 2H, 2W]."""
        hidden = self.first_convolution(doubled(functional.relu(self.first_norm(maps))))
        hidden = self.second_convolution(functional.relu(self.second_norm(hidden)))
        # A 1x1 convolution commutes with repeating pixels, and costs a quarter if it comes first.
        return doubled(self.shortcut(maps)) + hidden


def _deepest(size: tuple[int, int], channels: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of the deepest map; ValueError if size and channels do not fit."""
    if len(channels) < 2 or min(channels) < 1:
        raise ValueError(f"channels must be two or more positive numbers, got {tuple(channels)}")
    reduction = 2 ** (len(channels) - 1)
    if len(size) != 2 or min(size) < 1 or any(length % reduction for length in size):
        raise ValueError(
            f"size must be rows and columns that divide by {reduction}, since each of the "
            f"{len(channels) - 1} blocks halves them, got {tuple(size)}"
        )
    return size[0] // reduction, size[1] // reduction


class Halvings(nn.Module):
    """Slices to vectors: the critic with one output, and the encoder with one for each latent.

    size      rows and columns of the slices
    channels  of the first convolution, and of the blocks, each of which halves the resolution
    outputs   width of the vectors
    norm      of the blocks. The critic has `layer_norm`: its gradient is penalized slice by slice,
              so no slice may depend on the others of a batch
    """

    def __init__(
        self, *, size: tuple[int, int], channels: tuple[int, ...], outputs: int, norm: Norm
    ) -> None:
        super().__init__()
        rows, columns = _deepest(size, channels)
        if outputs < 1:
            raise ValueError(f"latent must be positive, got {outputs}")
        self.size = tuple(size)
        self.blocks = nn.Sequential(
            nn.Conv2d(1, channels[0], 3, padding=1),
            *(HalvingBlock(*step, norm) for step in pairwise(channels)),
            nn.Flatten(),
        )
        self.output = nn.Linear(channels[-1] * rows * columns, outputs)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors [B, outputs] and the features before the last layer [B, F], float32.

        Raises ValueError for images of another shape than [B, 1, rows, columns].
        """
        if images.shape[1:] != (1, *self.size):
            rows, columns = self.size
            raise ValueError(f"images must be [B, 1, {rows}, {columns}], got {tuple(images.shape)}")
        features = self.blocks(images).float()
        return in_full_precision(self.output, features), features


class Generator(nn.Module):
    """Latent vectors to slices in [-1, 1]: the blocks of `Halvings` in reverse order.

    size      rows and columns of the slices
    channels  as those of the critic, in the same order
    latent    width of the latent vectors
    """

    def __init__(self, *, size: tuple[int, int], channels: tuple[int, ...], latent: int) -> None:
        super().__init__()
        rows, columns = _deepest(size, channels)
        if latent < 1:
            raise ValueError(f"latent must be positive, got {latent}")
        ascending = channels[::-1]
        self.input = nn.Sequential(
            nn.Linear(latent, ascending[0] * rows * columns),
            nn.Unflatten(1, (ascending[0], rows, columns)),
        )
        self.blocks = nn.Sequential(
            *(DoublingBlock(*step, nn.BatchNorm2d) for step in pairwise(ascending))
        )
        self.output_norm = nn.BatchNorm2d(channels[0])
        self.output = nn.Conv2d(channels[0], 1, 3, padding=1)

    def forward(self, latents: Tensor) -> Tensor:
        """Slices, float32 [B, 1, H, W] in [-1, 1], of latents [B, latent]."""
        hidden = functional.relu(self.output_norm(self.blocks(self.input(latents))))
        return torch.tanh(in_full_precision(self.output, hidden))
