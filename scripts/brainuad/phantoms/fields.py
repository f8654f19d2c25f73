"""Smooth random fields and the coarse lattice on which a phantom's geometry is kept.

All positions are millimetres in the phantom's own frame: x to the right, y to the front, z up,
with the ICBM152 origin. A grid is the three 1-D arrays of its voxel centres along these axes, so
that smooth functions are interpolated one axis at a time. This is fast, and its rounding does not
depend on the number of threads.
"""

from dataclasses import dataclass

import numpy as np

Axes = tuple[np.ndarray, np.ndarray, np.ndarray]

LATTICE_SPACING = 4.0
LATTICE_LOW = (-116.0, -152.0, -116.0)
LATTICE_HIGH = (116.0, 120.0, 124.0)

# Standard deviation of a cubic B-spline with independent unit coefficients, averaged over space:
# the mean of the squared basis functions is 151/315 along each of the three axes.
_BSPLINE_DEVIATION = (151 / 315) ** 1.5


def lattice_axes() -> Axes:
    """Positions (mm) of the coarse lattice that covers a whole head."""
    return tuple(
        np.arange(low, high + LATTICE_SPACING / 2, LATTICE_SPACING)
        for low, high in zip(LATTICE_LOW, LATTICE_HIGH, strict=True)
    )


def grid_points(axes: Axes) -> np.ndarray:
    """Positions (mm) of all points of a grid, float32 [3, X, Y, Z]."""
    return np.stack(np.meshgrid(*axes, indexing="ij")).astype(np.float32)


def soft_below(values: np.ndarray, limit: float | np.ndarray, *, width: float) -> np.ndarray:
    """Smooth step, 1 where `values` is below `limit`, 0 above, over a band of `width`."""
    return np.clip(0.5 + (limit - values) / width, 0, 1).astype(np.float32)


def _combine(
    values: np.ndarray, taps: list[tuple[np.ndarray, np.ndarray]], axis: int
) -> np.ndarray:
    shape = [1, 1, 1]
    shape[axis] = -1
    total = np.take(values, taps[0][0], axis=axis)
    total *= taps[0][1].reshape(shape)
    for index, weight in taps[1:]:
        part = np.take(values, index, axis=axis)
        part *= weight.reshape(shape)
        total += part
    return total


def on_grid(values: np.ndarray, axes: Axes) -> np.ndarray:
    """Interpolate lattice values [X, Y, Z] linearly to a grid; outside, the edge is repeated."""
    for axis in range(3):
        position = (axes[axis] - LATTICE_LOW[axis]) / LATTICE_SPACING
        position = np.clip(position, 0, values.shape[axis] - 1)
        lower = np.minimum(position.astype(int), values.shape[axis] - 2)
        weight = (position - lower).astype(np.float32)
        values = _combine(values, [(lower, 1 - weight), (lower + 1, weight)], axis)
    return values


@dataclass(frozen=True)
class SmoothField:
    """A random function of position, mean 0 and deviation 1: cubic B-spline, knots in mm."""

    coefficients: np.ndarray
    spacing: float

    def on(self, axes: Axes) -> np.ndarray:
        """Values on a grid, float32 [X, Y, Z]; outside the field's box the edge is repeated."""
        values = self.coefficients
        for axis in range(3):
            knots = self.coefficients.shape[axis]
            position = np.clip((axes[axis] - LATTICE_LOW[axis]) / self.spacing, 0, knots - 3.001)
            first = position.astype(int)
            t = position - first
            weights = (
                (1 - t) ** 3 / 6,
                (3 * t**3 - 6 * t**2 + 4) / 6,
                (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
                t**3 / 6,
            )
            taps = [(first + tap, weight.astype(np.float32)) for tap, weight in enumerate(weights)]
            values = _combine(values, taps, axis)
        return values


def smooth_field(rng: np.random.Generator, *, spacing: float) -> SmoothField:
    """Draw a field on the box of the lattice, whose values change over about `spacing` mm."""
    corners = zip(LATTICE_LOW, LATTICE_HIGH, strict=True)
    shape = [int((high - low) / spacing) + 5 for low, high in corners]
    coefficients = rng.standard_normal(shape, dtype=np.float32)
    return SmoothField(coefficients / np.float32(_BSPLINE_DEVIATION), spacing)
