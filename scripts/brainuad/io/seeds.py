"""Seeds: each random draw has its own, derived from the seed of the run and the draw's purpose."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

# SplitMix64 (Steele et al., OOPSLA 2014), its constants as signed 64-bit numbers.
GOLDEN = 0x9E3779B97F4A7C15 - 2**64
MIX_1 = 0xBF58476D1CE4E5B9 - 2**64
MIX_2 = 0x94D049BB133111EB - 2**64


def mix_seeds(seeds: Tensor, numbers: Tensor | int) -> Tensor:
    """New 64-bit seeds, one for each pair of a seed and a number (SplitMix64's output function)."""
    if isinstance(numbers, int):
        # Made on the device, which avoids a copy.
        numbers = torch.full((), numbers, device=seeds.device)
    # Integer tensors wrap around at 64 bits, as the algorithm requires.
    state = seeds + (numbers + 1) * GOLDEN
    state = (state ^ _shift_right(state, 30)) * MIX_1
    state = (state ^ _shift_right(state, 27)) * MIX_2
    return state ^ _shift_right(state, 31)


def _shift_right(values: Tensor, bits: int) -> Tensor:
    """Shift as if the values were unsigned."""
    return (values >> bits) & ((1 << (64 - bits)) - 1)


def derive_seed(seed: int, *names: str | int) -> int:
    """A 63-bit seed that depends on the seed and the names, and is the same on any machine."""
    text = "\n".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def subject_seeds(seed: int, subjects: Sequence[str]) -> Tensor:
    """One seed per subject, int64 [N], which does not depend on the other subjects."""
    return torch.tensor([derive_seed(seed, subject) for subject in subjects], dtype=torch.int64)


def random_seeds(count: int, generator: torch.Generator) -> Tensor:
    """Seeds drawn by a generator on the CPU, int64 [count]."""
    return torch.randint(0, 2**63 - 1, (count,), generator=generator, dtype=torch.int64)
