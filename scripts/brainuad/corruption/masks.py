"""Random masks for inpainting: dense around a point of the brain, and scattered further away."""

import torch
from torch import Tensor

from brainuad.compute.device import to_device
from brainuad.corruption.ellipses import random_ellipses

# ASSUME: blocks are masked with the probability that squares at normally distributed positions
# cover them. In the code of IterMask2's authors the squares have edges of 4, 8 and 16 mm, the
# standard deviations are 1 to 32 mm, and 2.5 to 5 squares overlap in the middle. Here up to 4
# overlap, and the standard deviations reach half of the slice's longer edge, since the first mask
# of a scan is scattered over most of the brain.
DEVIATIONS = (0.05, 0.5)
LAYERS = 4
EDGES = (1, 2, 4)


def random_masks(brains: Tensor, generator: torch.Generator) -> Tensor:
    """Random masks bool [B, 1, H, W], which are only within the brains of the same shape."""
    count, _, height, width = brains.shape
    distances = random_ellipses(brains, DEVIATIONS, generator)
    shares = to_device(torch.rand((count, 1, 1, 1), generator=generator), brains.device)
    layers = shares * LAYERS / len(EDGES) * torch.exp(-distances.square() / 2)
    probabilities = 1 - torch.exp(-layers)
    masks = torch.zeros_like(brains)
    for edge in EDGES:
        grid = (count, 1, -(-height // edge), -(-width // edge))
        blocks = to_device(torch.rand(grid, generator=generator), brains.device)
        blocks = blocks.repeat_interleave(edge, 2).repeat_interleave(edge, 3)
        masks |= blocks[..., :height, :width] < probabilities
    return masks & brains
