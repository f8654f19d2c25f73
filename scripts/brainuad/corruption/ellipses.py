"""Random ellipses around points of the brain."""

import math

import torch
from torch import Tensor

from brainuad.compute.device import to_device


def random_ellipses(
    brains: Tensor, half_axes: tuple[float, float], generator: torch.Generator
) -> Tensor:
    """The distance of pixels from the centre of their slice's ellipse, float32 [B, 1, H, W].

    It is 0 at the centre and 1 at the border. Centre, half axes and direction are drawn for each
    slice.

    brains     bool [B, 1, H, W], from whose pixels the centres are drawn uniformly; in a slice
               without a brain the centre is below the last row
    half_axes  the shortest and the longest, as fractions of the slice's longer edge; their
               logarithms are uniform
    """
    height, width = brains.shape[-2:]
    shortest, longest = half_axes
    drawn = to_device(torch.rand((4, len(brains), 1), generator=generator), brains.device)
    counts = brains.flatten(1).cumsum(1)
    centres = (counts <= drawn[0] * counts[:, -1:]).sum(1)
    rows, columns = (
        torch.arange(length, device=brains.device) - centre[:, None]
        for length, centre in ((height, centres // width), (width, centres % width))
    )
    rows, columns = rows[:, None, :, None], columns[:, None, None, :]
    drawn = drawn[..., None, None]
    first, second = max(height, width) * shortest * (longest / shortest) ** drawn[1:3]
    angles = math.pi * drawn[3]
    along = (columns * angles.cos() + rows * angles.sin()) / first
    across = (rows * angles.cos() - columns * angles.sin()) / second
    return torch.hypot(along, across)
