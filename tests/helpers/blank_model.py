"""A model that reconstructs nothing, for the tests of what surrounds a model."""

import torch
from torch import nn


class Blank:
    """Reconstructs zeros, and keeps the shape of each batch and its timesteps."""

    def __init__(self):
        self.network = nn.Identity()
        self.batches = []

    def reconstruct(self, images, *, timesteps, subject_seeds, slice_indices):
        self.batches.append((tuple(images.shape), list(timesteps)))
        return torch.zeros_like(images)
