"""How far apart colours are, for people with normal vision and for those without one cone."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

# Machado et al., "A physiologically-based model for simulation of color vision deficiency",
# 2009: none, full protanopia, deuteranopia and tritanopia, on linear RGB.
VISIONS = (
    np.eye(3),
    np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
    np.array([[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]),
)


def smallest_distance(colours: Sequence[str]) -> float:
    """The smallest CIELAB distance of two colours, such as #0072b2, with any vision."""
    values = [np.array([*bytes.fromhex(colour.removeprefix("#"))]) / 255 for colour in colours]
    return min(
        float(np.linalg.norm(lab(vision @ linear(first)) - lab(vision @ linear(second))))
        for vision in VISIONS
        for first, second in combinations(values, 2)
    )


def linear(colour):
    """sRGB from 0 to 1 without its gamma."""
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def lab(colour):
    """CIELAB of linear RGB, for the white of daylight (D65)."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(to_xyz @ np.clip(colour, 0, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
