"""Simplex noise in batches, on any device, and the numbers that seed it.

Simplex noise replaces Gaussian noise in the diffusion: its low frequencies hide whole structures,
so that a lesion does not remain visible (AnoDDPM, Wyatt et al., CVPRW 2022).
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from brainuad.config.kinds.diffusion import NoiseSettings
from brainuad.io.seeds import mix_seeds

# OpenSimplex in two dimensions (K. Spencer, 2014, public domain): the skew of the triangular
# lattice, eight gradients towards an octagon, and the constant that scales sums to about [-1, 1].
SQUISH = (math.sqrt(3.0) - 1.0) / 2.0
STRETCH = (1.0 / math.sqrt(3.0) - 1.0) / 2.0
GRADIENTS = ((5, 2), (2, 5), (-5, 2), (-2, 5), (5, -2), (2, -5), (-5, -2), (-2, -5))
NORMALISATION = 47.0
SQUARED_RADIUS = 2.0
VERTICES_IN_REACH = 4
TABLE_LENGTH = 256


class SimplexNoise:
    """Sum of octaves of 2-D OpenSimplex noise on a fixed grid of pixels.

    The value at a point is the sum over the lattice vertices nearer than sqrt(2) of
    (2 - d^2)^4 <gradient, offset> / 47. Vertices and weights depend only on the grid; a permutation
    table only assigns the gradients. So the geometry is computed once, and a batch of fields is one
    weighted sum of gradients from a table.
    """

    # ASSUME: octaves share a permutation table and the origin, and are not normalized, as released.

    def __init__(
        self, size: tuple[int, int], settings: NoiseSettings, device: torch.device
    ) -> None:
        """Compute the geometry of fields of `size` (rows, columns) on a device."""
        self.size = size
        self.device = device
        vertices, entries, weights = _geometry(size, settings)
        self._vertices = vertices.to(device)
        self._entries = entries.to(device)
        self._weights = weights.to(device)
        self._gradients = torch.tensor(GRADIENTS, dtype=torch.float32, device=device)

    def fields(self, permutations: Tensor) -> Tensor:
        """Noise float32 [B, 1, H, W] from permutations of 0..255, int64 [B, 256]."""
        count = len(permutations)
        first, second = self._vertices % TABLE_LENGTH
        chosen = permutations.gather(1, (permutations[:, first] + second) % TABLE_LENGTH)
        # The lowest bit is not used, and the next three choose one of the eight gradients.
        gradients = self._gradients[chosen % 16 // 2]
        sums = functional.embedding_bag(
            self._entries,
            gradients.permute(1, 2, 0).reshape(-1, count),
            mode="sum",
            per_sample_weights=self._weights,
        )
        return sums.t().reshape(count, 1, *self.size)


def _geometry(size: tuple[int, int], settings: NoiseSettings) -> tuple[Tensor, Tensor, Tensor]:
    """Lattice vertices int64 [2, V]; per pixel entries of the gradient table [P, E] and weights.

    Entry 2v is the first component of the gradient of vertex v, entry 2v + 1 the second.
    """
    rows, columns = torch.meshgrid(
        *(torch.arange(length, dtype=torch.float64) for length in size), indexing="ij"
    )
    # The noise is a function of (x, y) with x along the columns, as in the released code.
    pixels = torch.stack([columns.flatten(), rows.flatten()], dim=1)
    near = torch.cartesian_prod(torch.arange(-1, 3), torch.arange(-1, 3))
    all_vertices, all_weights = [], []
    for octave in range(settings.octaves):
        points = pixels / (settings.wavelength / 2**octave)
        cells = (points + points.sum(1, keepdim=True) * STRETCH).floor().long()
        vertices = cells[:, None] + near
        positions = vertices + vertices.sum(2, keepdim=True).double() * SQUISH
        offsets = points[:, None] - positions
        attenuation = (SQUARED_RADIUS - offsets.square().sum(2)).clamp(min=0)
        # At most four of the 16 vertices around a cell are in reach: those of the largest weights.
        attenuation, kept = attenuation.topk(VERTICES_IN_REACH, dim=1)
        picks = kept[..., None].expand(-1, -1, 2)
        amplitude = settings.persistence**octave / NORMALISATION
        all_vertices.append(vertices.gather(1, picks))
        all_weights.append(offsets.gather(1, picks) * attenuation[..., None] ** 4 * amplitude)
    reached = torch.cat(all_vertices, dim=1)
    distinct, numbers = reached.reshape(-1, 2).unique(dim=0, return_inverse=True)
    numbers = numbers.reshape(reached.shape[:2])
    entries = torch.stack([2 * numbers, 2 * numbers + 1], dim=2).flatten(1)
    weights = torch.cat(all_weights, dim=1).flatten(1).float()
    return distinct.t().contiguous(), entries, weights


def permutation_tables(seeds: Tensor) -> Tensor:
    """One permutation of 0..255 per seed: int64 [B, 256] from int64 [B], on the seeds' device.

    With only integer arithmetic, a seed gives the same table on a CPU and on a GPU, in any batch.
    """
    entries = torch.arange(TABLE_LENGTH, device=seeds.device)
    return mix_seeds(seeds[:, None], entries[None]).argsort(dim=1, stable=True)
