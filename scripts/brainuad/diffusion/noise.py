"""Simplex noise in batches, on any device, and the numbers that seed it.

Simplex noise replaces Gaussian noise in the diffusion: its low frequencies hide whole structures,
so that a lesion cannot shine through (AnoDDPM, Wyatt et al., CVPRW 2022).
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from brainuad.io.errors import SettingsError

# OpenSimplex in two dimensions (K. Spencer, 2014, public domain): the skew of the triangular
# lattice, eight gradients towards an octagon, and the constant that brings sums to about [-1, 1].
SQUISH = (math.sqrt(3.0) - 1.0) / 2.0
STRETCH = (1.0 / math.sqrt(3.0) - 1.0) / 2.0
GRADIENTS = ((5, 2), (2, 5), (-5, 2), (-2, 5), (5, -2), (2, -5), (-5, -2), (-2, -5))
NORMALISATION = 47.0
SQUARED_RADIUS = 2.0
VERTICES_IN_REACH = 4
TABLE_LENGTH = 256

# SplitMix64 (Steele et al., OOPSLA 2014), its constants as signed 64-bit numbers.
GOLDEN = 0x9E3779B97F4A7C15 - 2**64
MIX_1 = 0xBF58476D1CE4E5B9 - 2**64
MIX_2 = 0x94D049BB133111EB - 2**64


@dataclass(frozen=True)
class NoiseSettings:
    """Octaves of simplex noise.

    octaves      how many are summed
    persistence  amplitude of an octave relative to the one before
    wavelength   of the first octave in pixels; each further octave has half of it
    shared       one field for all images of a batch (True, as released) or one for each (False)
    """

    octaves: int
    persistence: float
    wavelength: float
    shared: bool

    def __post_init__(self) -> None:
        if self.octaves < 1 or self.persistence <= 0 or self.wavelength <= 0:
            raise SettingsError(f"noise: octaves, persistence, wavelength must be positive: {self}")


class SimplexNoise:
    """Sum of octaves of 2-D OpenSimplex noise on a fixed grid of pixels.

    The value at a point is the sum over the lattice vertices nearer than sqrt(2) of
    (2 - d^2)^4 <gradient, offset> / 47. Which vertices with which weights depends on the grid
    alone; a permutation table only deals out the gradients. So the geometry is laid down once, and
    a batch of fields is one weighted sum of looked-up gradients.
    """

    # ASSUME: octaves share a permutation table and the origin, and are not normalised, as released.

    def __init__(
        self, size: tuple[int, int], settings: NoiseSettings, device: torch.device
    ) -> None:
        """Lay down the geometry of fields of `size` (rows, columns) on a device."""
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
        dealt = permutations.gather(1, (permutations[:, first] + second) % TABLE_LENGTH)
        # The low bit is unused and the next three choose: 0..15 name each gradient twice.
        gradients = self._gradients[dealt % 16 // 2]
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
    # The noise is a function of (x, y), x along the columns, as in the released code.
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
        # Of the 16 vertices around a cell at most four are in reach: keep the heaviest.
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


def permutation_tables(keys: Tensor) -> Tensor:
    """One permutation of 0..255 per key: int64 [B, 256] from int64 [B], on the keys' device.

    Integer arithmetic alone: the same key gives the same table on a processor and on a GPU, in
    whatever batch it stands.
    """
    places = torch.arange(TABLE_LENGTH, device=keys.device)
    return mix(keys[:, None], places[None]).argsort(dim=1, stable=True)


def mix(keys: Tensor, numbers: Tensor | int) -> Tensor:
    """New 64-bit keys, one for each pair of a key and a number (SplitMix64's output function)."""
    if isinstance(numbers, int):
        # Written on the device, where a tensor made here would have to be copied to.
        numbers = torch.full((), numbers, device=keys.device)
    # Integer tensors wrap around at 64 bits, as the algorithm wants it.
    state = keys + (numbers + 1) * GOLDEN
    state = (state ^ _shift_right(state, 30)) * MIX_1
    state = (state ^ _shift_right(state, 27)) * MIX_2
    return state ^ _shift_right(state, 31)


def _shift_right(values: Tensor, bits: int) -> Tensor:
    """Shift as if the values were unsigned."""
    return (values >> bits) & ((1 << (64 - bits)) - 1)


def key_of(seed: int, *names: str | int) -> int:
    """A 63-bit number that stands for the seed and the names together, the same on any machine."""
    text = "\n".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def keys_of(seed: int, names: Sequence[str]) -> Tensor:
    """One key per name, int64 [N]: what a name gets does not depend on the others."""
    return torch.tensor([key_of(seed, name) for name in names], dtype=torch.int64)


def random_keys(count: int, generator: torch.Generator) -> Tensor:
    """Keys drawn by a generator on the processor, int64 [count]."""
    return torch.randint(0, 2**63 - 1, (count,), generator=generator, dtype=torch.int64)
