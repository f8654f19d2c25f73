"""Random changes of contrast and image quality, drawn for each slice of a batch.

The four transforms and their default ranges are those of torchio (Perez-Garcia et al. 2021), which
the released code uses on volumes; here they work in the plane of the slice. Images are float32
[B, 1, H, W] of about 0 to 1.
"""

# ASSUME: augmentation is drawn for each slice and acts in its plane, while the released code
# augments volumes.
# ASSUME: augmented intensities are not clipped to [0, 1], as in torchio.

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from brainuad.compute.device import to_device
from brainuad.config.models import (
    AugmentationSettings,
    BiasFieldSettings,
    BlurSettings,
    GammaSettings,
    GhostingSettings,
)


def augment(images: Tensor, settings: AugmentationSettings, generator: torch.Generator) -> Tensor:
    """Apply each transform to randomly drawn slices: gamma, bias field, blur, ghosting.

    The order is that of the released code. The generator is on the CPU, so that the draws are the
    same for any device.
    """
    for transform, chosen in (
        (gamma, settings.gamma),
        (bias_field, settings.bias_field),
        (blur, settings.blur),
        (ghosting, settings.ghosting),
    ):
        if chosen is not None:
            images = _sometimes(images, transform, chosen, generator)
    return images


def _sometimes(
    images: Tensor, transform: Callable, settings: object, generator: torch.Generator
) -> Tensor:
    picked = torch.rand(len(images), generator=generator) < settings.probability
    rows = picked.nonzero().flatten()
    if len(rows) == 0:
        return images
    rows = to_device(rows, images.device)
    return images.index_copy(0, rows, transform(images[rows], settings, generator))


def blur(images: Tensor, settings: BlurSettings, generator: torch.Generator) -> Tensor:
    """Blur each slice with a Gaussian of its own width along rows and along columns."""
    count, _, height, width = images.shape
    deviations = _uniform((2, count, 1), settings.deviation, generator).clamp(min=1e-3)
    reach = math.ceil(4 * max(settings.deviation))
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernels = torch.exp(-(offsets**2) / (2 * deviations**2))
    kernels = to_device(kernels / kernels.sum(2, keepdim=True), images.device)
    slices = images.reshape(1, count, height, width)
    slices = functional.pad(slices, (0, 0, reach, reach), mode="replicate")
    slices = functional.conv2d(slices, kernels[0][:, None, :, None], groups=count)
    slices = functional.pad(slices, (reach, reach, 0, 0), mode="replicate")
    slices = functional.conv2d(slices, kernels[1][:, None, None, :], groups=count)
    return slices.reshape(images.shape)


def bias_field(images: Tensor, settings: BiasFieldSettings, generator: torch.Generator) -> Tensor:
    """Multiply with exp(sum of c_ij x^i y^j), i + j <= order, x and y from -1 to 1."""
    count, _, height, width = images.shape
    rows = torch.linspace(-1, 1, height, device=images.device)[:, None]
    columns = torch.linspace(-1, 1, width, device=images.device)[None]
    terms = [
        (rows**i * columns**j).flatten()
        for i in range(settings.order + 1)
        for j in range(settings.order + 1 - i)
    ]
    limits = (-settings.coefficients, settings.coefficients)
    coefficients = to_device(_uniform((count, len(terms)), limits, generator), images.device)
    return images * (coefficients @ torch.stack(terms)).exp().reshape(images.shape)


def gamma(images: Tensor, settings: GammaSettings, generator: torch.Generator) -> Tensor:
    """Raise each slice to a power of its own; values below 0 keep their sign, as in torchio."""
    limits = (-settings.log_gamma, settings.log_gamma)
    exponents = _uniform((len(images), 1, 1, 1), limits, generator).exp()
    return images.sign() * images.abs() ** to_device(exponents, images.device)


def ghosting(images: Tensor, settings: GhostingSettings, generator: torch.Generator) -> Tensor:
    """Weaken every n-th line of k-space, n and the direction drawn for each slice."""
    count, _, height, width = images.shape
    low, high = settings.ghosts
    ghosts = torch.randint(low, high + 1, (count, 1), generator=generator)
    strength = _uniform((count, 1), settings.intensity, generator)
    along_rows = torch.rand((count, 1, 1, 1), generator=generator) < 0.5
    weights = [
        to_device(_line_weights(length, ghosts, strength, settings.restore), images.device)
        for length in (height, width)
    ]
    weights = torch.where(
        to_device(along_rows, images.device),
        weights[0][:, None, :, None],
        weights[1][:, None, None, :],
    )
    return torch.fft.ifft2(torch.fft.fft2(images) * weights).real


def _line_weights(length: int, ghosts: Tensor, strength: Tensor, restore: float) -> Tensor:
    """Factors [B, length] for the lines of k-space in the order of the FFT."""
    frequencies = torch.fft.fftfreq(length, d=1 / length).round().long()
    weakened = (frequencies + length // 2) % ghosts == 0
    # The zero frequency is always kept: torchio 0.18.73, which the released code used, always
    # restores the centre plane of k-space.
    kept = frequencies.abs() <= restore * length / 2
    return torch.where(weakened & ~kept, 1 - strength, 1.0)


def _uniform(
    shape: tuple[int, ...], limits: tuple[float, ...], generator: torch.Generator
) -> Tensor:
    low, high = limits
    return low + (high - low) * torch.rand(shape, generator=generator)
