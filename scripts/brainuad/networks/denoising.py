"""The U-Net of the denoising autoencoder.

Kascenas et al. 2022, "Denoising autoencoders for unsupervised anomaly detection in brain MRI"
(MIDL): the U-Net of Ronneberger et al. 2015 with weight standardization (Qiao et al. 2019), Swish
and group norm.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from brainuad.networks.precision import in_full_precision


class StandardizedConvolution(nn.Conv2d):
    """A convolution whose filters have mean 0 and standard deviation 1 before they are used."""

    def forward(self, maps: Tensor) -> Tensor:
        """Maps [B, in, H, W] to [B, out, H', W']."""
        deviations, means = torch.std_mean(self.weight, dim=(1, 2, 3), keepdim=True)
        weight = (self.weight - means) / (deviations + 1e-5)
        return functional.conv2d(maps, weight, self.bias)


def _groups(channels: int) -> int:
    # The smallest divisor from the square root on: about as many groups as channels per group.
    return next(
        groups
        for groups in range(math.isqrt(channels - 1) + 1, channels + 1)
        if channels % groups == 0
    )


class MirroredBorder(nn.Module):
    """Add a border of one pixel that mirrors the map at its outermost pixels."""

    def forward(self, maps: Tensor) -> Tensor:
        """Maps [B, C, H, W] to [B, C, H + 2, W + 2]; H and W are 2 or more."""
        # As `nn.ReflectionPad2d`, whose gradient is not deterministic on a GPU.
        maps = torch.cat([maps[..., 1:2, :], maps, maps[..., -2:-1, :]], dim=2)
        return torch.cat([maps[..., 1:2], maps, maps[..., -2:-1]], dim=3)


def two_convolutions(in_channels: int, out_channels: int) -> nn.Sequential:
    """Twice: mirrored border, standardized 3x3 convolution, Swish, group norm."""
    layers: list[nn.Module] = []
    for channels in (in_channels, out_channels):
        layers += [
            MirroredBorder(),
            StandardizedConvolution(channels, out_channels, 3),
            nn.SiLU(),
            nn.GroupNorm(_groups(out_channels), out_channels),
        ]
    return nn.Sequential(*layers)


class DenoisingUNet(nn.Module):
    """A U-Net that halves the resolution by averaging and doubles it by transposed convolutions.

    channels  of the first level; each further level has twice as many and half the resolution
    levels    number of levels
    inputs    channels of the input

    With 64 channels, 4 levels and one input it has 7,701,825 parameters.
    """

    def __init__(self, *, channels: int, levels: int, inputs: int = 1) -> None:
        super().__init__()
        if channels < 1:
            raise ValueError(f"channels must be positive, got {channels}")
        if levels < 1:
            raise ValueError(f"levels must be positive, got {levels}")
        self.inputs = inputs
        self.reduction = 2 ** (levels - 1)
        widths = [channels * 2**level for level in range(levels)]
        self.descent = nn.ModuleList(
            two_convolutions(*step) for step in zip((inputs, *widths[:-1]), widths, strict=True)
        )
        self.doublings = nn.ModuleList()
        self.ascent = nn.ModuleList()
        for width in reversed(widths[:-1]):
            self.doublings.append(nn.ConvTranspose2d(2 * width, width, 2, stride=2))
            self.ascent.append(two_convolutions(2 * width, width))
        self.output = nn.Conv2d(channels, 1, 1)

    def forward(self, noised: Tensor) -> Tensor:
        """Predict the clean slices, float32 [B, 1, H, W], from [B, inputs, H, W].

        H and W are divisible by 2 ** (levels - 1), and the deepest map has at least 2x2 pixels;
        ValueError for another shape.
        """
        if noised.ndim != 4 or noised.shape[1] != self.inputs:
            raise ValueError(f"noised must be [B, {self.inputs}, H, W], got {tuple(noised.shape)}")
        height, width = noised.shape[-2:]
        if any(side % self.reduction or side < 2 * self.reduction for side in (height, width)):
            raise ValueError(
                f"slices of {height}x{width} pixels do not divide by {self.reduction} into 2 or "
                "more pixels, as this U-Net's levels need"
            )
        kept = []
        hidden = noised
        for level, convolutions in enumerate(self.descent):
            hidden = convolutions(functional.avg_pool2d(hidden, 2) if level else hidden)
            kept.append(hidden)
        kept.pop()
        for double, convolutions in zip(self.doublings, self.ascent, strict=True):
            hidden = convolutions(torch.cat([double(hidden), kept.pop()], dim=1))
        return in_full_precision(self.output, hidden)
