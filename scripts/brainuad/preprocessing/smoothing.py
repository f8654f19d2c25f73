"""Curvature flow: smooth along the edges of an image, and not across them."""

from collections.abc import Sequence

import numpy as np

from brainuad.config.preprocessing import CurvatureFlow

# ITK does not change voxels whose squared gradient is below this.
FLAT = 1e-9


def curvature_flow(
    image: np.ndarray, settings: CurvatureFlow, *, spacing: Sequence[float] = (1.0, 1.0, 1.0)
) -> np.ndarray:
    """Smooth a volume [X, Y, Z] by dI/dt = kappa |grad I|, kappa the curvature of its level sets.

    Central differences in mm, edge values repeated beyond the border, explicit time steps:
    Sethian, Level Set Methods (1996), as in ITK's CurvatureFlowImageFilter.
    """
    current = image.astype(np.float64)
    for _ in range(settings.iterations):
        current = current + settings.time_step * _speed(current, spacing)
    return current.astype(np.float32)


def _speed(image: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    padded = np.pad(image, 1, mode="edge")
    shape = image.shape

    def shifted(*moves: int) -> np.ndarray:
        return padded[
            tuple(slice(1 + move, 1 + move + n) for move, n in zip(moves, shape, strict=True))
        ]

    unit = np.eye(3, dtype=int)
    first = [
        (shifted(*unit[axis]) - shifted(*-unit[axis])) / (2 * spacing[axis]) for axis in range(3)
    ]
    squares = [derivative**2 for derivative in first]
    gradient = squares[0] + squares[1] + squares[2]
    speed = np.zeros_like(image)
    for axis in range(3):
        second = shifted(*unit[axis]) - 2 * image + shifted(*-unit[axis])
        speed += second / spacing[axis] ** 2 * (gradient - squares[axis])
    for one, other in ((0, 1), (0, 2), (1, 2)):
        both, against = unit[one] + unit[other], unit[one] - unit[other]
        cross = shifted(*both) + shifted(*-both) - shifted(*against) - shifted(*-against)
        speed -= 2 * first[one] * first[other] * cross / (4 * spacing[one] * spacing[other])
    steep = gradient >= FLAT
    return np.divide(speed, gradient, out=np.zeros_like(speed), where=steep)
