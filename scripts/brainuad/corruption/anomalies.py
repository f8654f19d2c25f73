"""Synthetic anomalies: the texture of another position, brighter or darker, in a soft ellipse.

They follow DAG, the anomalies of Naval Marimont et al. 2024, "Ensembled Cold-Diffusion Restorations
for Unsupervised Anomaly Detection" (MICCAI, arXiv 2407.06635), which combine foreign patches (Tan
et al. 2020, "Detecting outliers with foreign patch interpolation") with changed intensities.
"""

import math

import torch
from torch import Tensor

from brainuad.compute.device import to_device
from brainuad.corruption import FOREGROUND
from brainuad.corruption.ellipses import random_ellipses

# ASSUME: an anomaly is an ellipse whose soft border takes up to all of its radius. The authors'
# code draws squares, circles and shapes from files, and blurs most of them. The half axes have the
# range of its shapes, whose diameters are 10 to 44 of 128 pixels.
HALF_AXES = (0.04, 0.17)


def with_anomalies(images: Tensor, generator: torch.Generator) -> Tensor:
    """Slices [B, 1, H, W], each with an anomaly of full severity in its foreground.

    A slice without a foreground is not changed.
    """
    foreground = images > FOREGROUND
    distances = random_ellipses(foreground, HALF_AXES, generator)
    drawn = to_device(torch.rand((2, len(images), 1, 1, 1), generator=generator), images.device)
    softness, offsets = drawn[0], 2 * drawn[1] - 1
    # ASSUME: at full severity the texture is that of the other position, brighter or darker by up
    # to 1. In the authors' code texture and offset have severities of their own, of which the
    # greater one counts, and the offset applies only to some ranges of intensities.
    shares = ((1 - distances) / softness).clamp(0, 1)
    inside = foreground & (shares > 0)
    textures = _in_range_of(images, _foreign(images, generator), inside)
    anomalies = (textures + offsets).clamp(0, 1)
    return torch.where(inside, torch.lerp(images, anomalies, shares), images)


def _foreign(images: Tensor, generator: torch.Generator) -> Tensor:
    """The previous slice in the batch for each slice, shifted at random around the edges."""
    count, _, *size = images.shape
    rows, columns = (
        torch.arange(length, device=images.device)
        + to_device(torch.randint(length, (count, 1), generator=generator), images.device)
        for length in size
    )
    rows, columns = rows[:, :, None] % size[0], columns[:, None, :] % size[1]
    slices = torch.arange(count, device=images.device)[:, None, None]
    return images.roll(1, 0)[slices, 0, rows, columns][:, None]


def _in_range_of(images: Tensor, textures: Tensor, inside: Tensor) -> Tensor:
    """The textures, scaled to the smallest and the largest value of the image inside."""
    (low, high), (least, greatest) = (
        (
            torch.where(inside, values, math.inf).amin((2, 3), keepdim=True),
            torch.where(inside, values, -math.inf).amax((2, 3), keepdim=True),
        )
        for values in (images, textures)
    )
    # The clamp avoids a division by 0 for a flat texture.
    return (textures - least) / (greatest - least).clamp(min=1e-3) * (high - low) + low
