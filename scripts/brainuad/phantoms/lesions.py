"""Lesions with exact masks: common functions, tumours and multiple sclerosis.

Positions are chosen on the coarse lattice, so they do not depend on the scan's grid; shapes are
drawn on the grid itself. A voxel belongs to a lesion if the lesion fills more than half of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from brainuad.phantoms.anatomy import Head, Tissues, push_apart
from brainuad.phantoms.fields import Axes, grid_points, lattice_axes, smooth_field
from brainuad.phantoms.template import Template


@dataclass(frozen=True)
class Layer:
    """A lesion tissue on the grid: weight [0, 1] and texture (mean 0, deviation 1), [X, Y, Z]."""

    tissue: str
    weight: np.ndarray
    texture: np.ndarray


@dataclass(frozen=True)
class Lesions:
    """Layers, of which each covers those before it, and the mask, uint8 [X, Y, Z]."""

    layers: tuple[Layer, ...]
    labels: np.ndarray


@dataclass(frozen=True)
class Plan:
    """A person's head, deformed by the lesion, and the function that draws the lesion."""

    head: Head
    draw: Callable[[Tissues, Axes], Lesions]


def random_place(rng: np.random.Generator, candidates: np.ndarray) -> np.ndarray:
    """A random lattice point (mm) among those marked in `candidates`, moved by less than a step."""
    if not candidates.any():
        raise ValueError("the lesion fits nowhere in this head")
    chosen = np.unravel_index(rng.choice(np.flatnonzero(candidates)), candidates.shape)
    corner = [axis[index] for axis, index in zip(lattice_axes(), chosen, strict=True)]
    return np.array(corner) + rng.uniform(-1.5, 1.5, 3)


def window_around(axes: Axes, centre: np.ndarray, reach: float) -> tuple[tuple[slice, ...], Axes]:
    """The part of a grid within `reach` mm of a point, along each axis."""
    window = tuple(
        slice(*np.searchsorted(axis, (middle - reach, middle + reach)))
        for axis, middle in zip(axes, centre, strict=True)
    )
    return window, tuple(axis[part] for axis, part in zip(axes, window, strict=True))


def offsets(axes: Axes, centre: np.ndarray) -> np.ndarray:
    """From a point to all points of a grid (mm), float32 [3, X, Y, Z]."""
    return grid_points(axes) - centre.astype(np.float32).reshape(3, 1, 1, 1)


def nearest_on_lattice(point: np.ndarray) -> tuple[int, ...]:
    """Indices of the lattice point that is nearest to a point (mm)."""
    pairs = zip(lattice_axes(), point, strict=True)
    return tuple(int(np.argmin(np.abs(axis - place))) for axis, place in pairs)


def random_shape(rng: np.random.Generator, spread: float) -> np.ndarray:
    """A random rotation with unequal scales of product 1, [3, 3]."""
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    scales = np.exp(rng.normal(0, spread, 3))
    return rotation * (scales / scales.prod() ** (1 / 3)).reshape(1, 3)


def texture_on(rng: np.random.Generator, axes: Axes, spacing: float = 8.0) -> np.ndarray:
    return smooth_field(rng, spacing=spacing).on(axes)


def soft_edge(excess: np.ndarray, edge: float) -> np.ndarray:
    """Weight of a shape by a voxel's distance (mm) outside it, blended over `edge` mm."""
    return (1 / (1 + np.exp(np.clip(4 * excess / edge, -30, 30)))).astype(np.float32)


def placed(axes: Axes, window: tuple[slice, ...], values: np.ndarray) -> np.ndarray:
    array = np.zeros(tuple(len(axis) for axis in axes), values.dtype)
    array[window] = values
    return array


def plan_tumour(
    template: Template, head: Head, rng: np.random.Generator, lesion_load: float
) -> Plan:
    """Glioma: necrotic core (1), enhancing rim (4), oedema (2) that spares the cortex."""
    x = np.abs(head.points[0])
    z = head.points[2]
    deep = (head.brain_distance > -40) & (head.brain_distance < -12)
    centre = random_place(rng, (head.white > 0.7) & deep & (x > 14) & (z > -8) & (z < 55))
    radius = float(rng.uniform(17, 30)) * lesion_load ** (1 / 3)
    share = float(rng.uniform(0.42, 0.66))
    rim = float(rng.uniform(2.5, 4.5))
    shape = random_shape(rng, 0.16)
    core_shift = rng.normal(0, 0.08 * radius, 3)
    pushed = push_apart(
        template, head, centre=centre, radius=radius, push=float(rng.uniform(1.5, 5))
    )
    seed = rng.integers(2**32)

    def draw(tissues: Tissues, axes: Axes) -> Lesions:
        local = np.random.default_rng(seed)
        window, inner = window_around(axes, centre, 1.9 * radius)
        offset = offsets(inner, centre)
        distance = np.linalg.norm(np.einsum("ij,jxyz->ixyz", shape, offset), axis=0)
        fractions = {name: values[window] for name, values in tissues.fractions.items()}
        rough = smooth_field(local, spacing=0.7 * radius).on(inner)
        fine = smooth_field(local, spacing=9.0).on(inner)
        # Oedema runs along white matter: grey matter and fluid count as further away.
        excess = distance - radius * (0.92 + 0.16 * rough + 0.06 * fine)
        excess += radius * (0.22 * fractions["grey"] + 0.6 * fractions["fluid"])
        brain = tissues.brain[window]
        oedema = soft_edge(excess, 5.0) * brain
        core_offset = offset - core_shift.astype(np.float32).reshape(3, 1, 1, 1)
        core_distance = np.linalg.norm(core_offset, axis=0)
        core_excess = core_distance - share * radius * (1 + 0.18 * rough + 0.10 * fine)
        core = soft_edge(core_excess, 2.5) * brain
        necrosis = soft_edge(core_excess + rim * (1 + 0.35 * fine), 2.5) * brain
        labels = np.zeros(brain.shape, np.uint8)
        labels[oedema > 0.5] = 2
        labels[core > 0.5] = 4
        labels[necrosis > 0.5] = 1
        strengths = local.uniform(0.8, 1.0)
        layers = (("oedema", oedema * strengths), ("rim", core), ("necrosis", necrosis))
        return Lesions(
            layers=tuple(
                Layer(name, placed(axes, window, weight), texture_on(local, axes))
                for name, weight in layers
            ),
            labels=placed(axes, window, labels),
        )

    return Plan(pushed, draw)


def plan_plaques(
    template: Template, head: Head, rng: np.random.Generator, lesion_load: float
) -> Plan:
    """Multiple sclerosis: ovoid plaques (1), most of them next to the ventricles."""
    del template
    white, ventricle = head.white, head.ventricle_distance
    within = (head.brain_distance < -5) & (head.points[2] > -35)
    places = (
        (0.55, within & (white > 0.5) & (ventricle > 1) & (ventricle < 8)),
        (0.30, within & (white > 0.8) & (ventricle > 8)),
        (0.15, within & (white > 0.5) & (head.brain_distance > -16) & (ventricle > 8)),
    )
    count = int(np.clip(rng.normal(42, 15) * lesion_load, 8, 150))
    outwards = np.stack(np.gradient(ventricle))
    # Plaques next to the ventricles are clustered around a few foci, where they merge.
    foci = [random_place(rng, places[0][1]) for _ in range(rng.integers(2, 5))]
    gathered = np.zeros_like(within)
    for focus in foci:
        gathered |= (offsets(lattice_axes(), focus) ** 2).sum(0) < 10**2
    plaques = []
    for _ in range(count):
        kind = rng.choice(3, p=[share for share, _ in places])
        near = places[kind][1] & gathered
        centre = random_place(rng, near if kind == 0 and rng.random() < 0.8 else places[kind][1])
        diameter = float(np.clip(rng.lognormal(np.log(8.0), 0.32), 3.5, 18))
        direction = outwards[(slice(None), *nearest_on_lattice(centre))] + rng.normal(0, 0.4, 3)
        stretch = float(rng.uniform(1.1, 2.0)) if kind == 0 else float(rng.uniform(1.0, 1.4))
        plaques.append((centre, diameter / 2, direction / np.linalg.norm(direction), stretch))
    seed = rng.integers(2**32)

    def draw(tissues: Tissues, axes: Axes) -> Lesions:
        local = np.random.default_rng(seed)
        uneven = smooth_field(local, spacing=6.0)
        # Plaques hardly reach into fluid.
        allowed = tissues.brain * (1 - 0.9 * tissues.fractions["fluid"])
        weight, shape = np.zeros((2, *allowed.shape), np.float32)
        for centre, radius, direction, stretch in plaques:
            window, inner = window_around(axes, centre, 2.2 * radius + 3)
            offset = offsets(inner, centre)
            along = np.einsum("i,ixyz->xyz", direction, offset)
            across = np.sqrt(np.maximum((offset**2).sum(0) - along**2, 0))
            # Longer along one axis and thinner along the others, so that the volume is the same.
            distance = np.hypot(along / stretch, across * stretch**0.5)
            excess = distance - radius * (1 + 0.16 * uneven.on(inner))
            part = soft_edge(excess, 2.0)
            shape[window] = np.maximum(shape[window], part)
            weight[window] = np.maximum(weight[window], part * local.uniform(0.8, 1.0))
        layer = Layer("plaque", weight * allowed, texture_on(local, axes))
        return Lesions((layer,), (shape * allowed > 0.5).astype(np.uint8))

    return Plan(head, draw)
