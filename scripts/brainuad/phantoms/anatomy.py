"""One person's head: the deformed template, and the tissue fractions of each voxel."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from brainuad.phantoms.fields import (
    LATTICE_LOW,
    LATTICE_SPACING,
    Axes,
    SmoothField,
    grid_points,
    lattice_axes,
    on_grid,
    smooth_field,
    soft_below,
)
from brainuad.phantoms.template import TEMPLATE_ORIGIN, Template, sample

BRAIN_CENTRE = (0.0, -18.0, 8.0)  # mm, of the template's brain


@dataclass(frozen=True)
class Variation:
    """How much heads of a data set differ, as standard deviations.

    scale: relative, per axis; rotation: degrees; folds: mm at 50, 24 and 12 mm of knot spacing;
    ventricles: mm by which their walls move.
    """

    scale: float = 0.035
    rotation: float = 3.0
    folds: tuple[float, ...] = (2.6, 1.6, 0.9)
    ventricles: float = 0.7


@dataclass(frozen=True)
class Head:
    """A person's geometry on the coarse lattice, and their sulci.

    `points` [3, X, Y, Z]: the position of each lattice point in the template (mm). Distances are as
    in Template, in template millimetres. `skull`, `scalp`, `fluid_layer`: thickness in mm;
    `soft_tissue` mixes fat and air spaces into face and neck.
    """

    points: np.ndarray
    brain_distance: np.ndarray
    hull_distance: np.ndarray
    ventricle_distance: np.ndarray
    white: np.ndarray
    sulci: SmoothField
    cortex: SmoothField
    soft_tissue: SmoothField
    sulcal_width: float
    skull: float
    scalp: float
    fluid_layer: float


@dataclass(frozen=True)
class Tissues:
    """Tissue fractions [0, 1] on a grid, arrays [X, Y, Z] by tissue; the rest is air.

    `brain` is the exact brain mask, `detail` see Template, `ventricle_distance` in mm.
    """

    fractions: dict[str, np.ndarray]
    brain: np.ndarray
    detail: np.ndarray
    ventricle_distance: np.ndarray


def draw_head(template: Template, rng: np.random.Generator, variation: Variation) -> Head:
    """Deform the template: affine, folds on three scales, hemispheric torque, ventricles."""
    axes = lattice_axes()
    position = grid_points(axes)
    moved = position.copy()
    for spacing, amplitude in zip((50.0, 24.0, 12.0), variation.folds, strict=True):
        for axis in range(3):
            moved[axis] += np.float32(amplitude) * smooth_field(rng, spacing=spacing).on(axes)
    # The right frontal and left occipital lobes reach further in most people (Yakovlevian torque).
    moved[1] -= np.float32(rng.normal(1.8, 0.8)) * np.tanh(position[0] / 30)

    centre = np.array(BRAIN_CENTRE)
    scales = np.exp(rng.normal(0, variation.scale, 3))
    rotation = Rotation.from_euler("xyz", rng.normal(0, variation.rotation, 3), degrees=True)
    matrix = (rotation.as_matrix() / scales).astype(np.float32)
    points = np.einsum("ij,jxyz->ixyz", matrix, moved - centre.reshape(3, 1, 1, 1)).astype(
        np.float32
    )
    points += centre.astype(np.float32).reshape(3, 1, 1, 1)

    widening, asymmetry = rng.normal((0.0, -0.15), (variation.ventricles, 0.25))
    shift = np.clip(widening + asymmetry * np.tanh(points[0] / 12), -1.5, 1.5)
    distance = sample(template.ventricle_distance, points)
    shift *= np.exp(-((np.maximum(distance, 0) / 12) ** 2))
    points -= np.stack([shift * sample(normal, points) for normal in template.ventricle_normal])
    return _measure(
        template,
        points.astype(np.float32),
        sulci=smooth_field(rng, spacing=30.0),
        cortex=smooth_field(rng, spacing=22.0),
        soft_tissue=smooth_field(rng, spacing=13.0),
        sulcal_width=float(rng.normal(0.55, 0.2)),
        skull=float(rng.uniform(5.0, 7.5)),
        scalp=float(rng.uniform(4.5, 7.5)),
        fluid_layer=float(rng.uniform(1.0, 2.6)),
    )


def average_head(template: Template) -> Head:
    """The template itself, undeformed, with mean thicknesses."""
    flat = SmoothField(np.zeros((5, 5, 5), np.float32), spacing=1.0)
    return _measure(
        template,
        grid_points(lattice_axes()),
        sulci=flat,
        cortex=flat,
        soft_tissue=flat,
        sulcal_width=0.55,
        skull=6.2,
        scalp=6.0,
        fluid_layer=1.8,
    )


def _measure(template: Template, points: np.ndarray, **personal) -> Head:
    return Head(
        points=points,
        brain_distance=sample(template.brain_distance, points),
        hull_distance=sample(template.hull_distance, points),
        ventricle_distance=sample(template.ventricle_distance, points),
        white=sample(template.white, points),
        **personal,
    )


def push_apart(
    template: Template, head: Head, *, centre: np.ndarray, radius: float, push: float
) -> Head:
    """Mass effect: tissue around `centre` (mm) moves outwards by up to about `push` mm."""
    position = grid_points(lattice_axes())
    offset = position - centre.astype(np.float32).reshape(3, 1, 1, 1)
    distance = np.sqrt((offset**2).sum(0)) + 1e-3
    # r/R exp(1/2 - r^2/2R^2) has its maximum, 1, at r = R.
    size = push * distance / radius * np.exp(0.5 - 0.5 * (distance / radius) ** 2)
    source = position - offset / distance * size
    index = (source - np.array(LATTICE_LOW, np.float32).reshape(3, 1, 1, 1)) / LATTICE_SPACING
    points = np.stack(
        [ndimage.map_coordinates(values, index, order=1, mode="nearest") for values in head.points]
    )
    kept = ("sulci", "cortex", "soft_tissue", "sulcal_width", "skull", "scalp", "fluid_layer")
    return _measure(template, points, **{name: getattr(head, name) for name in kept})


def tissues_on(template: Template, head: Head, axes: Axes, *, stripped: bool) -> Tissues:
    """Tissue fractions of a head on a grid; only those of the brain if it is `stripped`."""
    shape = tuple(len(axis) for axis in axes)
    points = np.stack([on_grid(values, axes) for values in head.points])
    brain_distance = on_grid(head.brain_distance, axes)
    near = brain_distance < 4
    inner = points[:, near]
    # The template ends here; extrapolating its last slice downwards would add spinal cord.
    inside = sample(template.brain, inner)
    brain = (inside > 0.5) & (inner[2] >= TEMPLATE_ORIGIN[2])

    grey, white = sample(template.grey, inner), sample(template.white, inner)
    fluid = np.clip(1 - grey - white, 0, 1)
    # ASSUME: the sulci are blurred in an average of 152 people. Fluid is increased by a personal,
    # local factor and the fractions are sharpened, which gives visible folds of varying width.
    fluid = fluid * np.exp(head.sulcal_width + 0.3 * head.sulci.on(axes)[near])
    grey = grey * np.exp(0.14 * head.cortex.on(axes)[near])
    fractions = np.stack([fluid, grey, white]) ** 1.6
    fractions /= fractions.sum(0) + 1e-6
    if stripped:
        inside = brain.astype(np.float32)

    result = {
        name: _filled(shape, near, values * inside)
        for name, values in zip(("fluid", "grey", "white"), fractions, strict=True)
    }
    if not stripped:
        _add_shell(result, head, axes, brain_distance=brain_distance, points=points)
    return Tissues(
        fractions=result,
        brain=_filled(shape, near, brain).astype(bool),
        detail=_filled(shape, near, sample(template.detail, inner) * inside),
        ventricle_distance=on_grid(head.ventricle_distance, axes),
    )


def _filled(shape: tuple[int, ...], where: np.ndarray, values: np.ndarray) -> np.ndarray:
    array = np.zeros(shape, np.float32)
    array[where] = values
    return array


def _add_shell(
    fractions: dict[str, np.ndarray],
    head: Head,
    axes: Axes,
    *,
    brain_distance: np.ndarray,
    points: np.ndarray,
) -> None:
    """Add the fluid around the brain, skull with marrow, muscle, fat and eyes, in place."""
    skin = np.minimum(
        head.hull_distance - head.skull - head.scalp - 0.6 * head.cortex.on(lattice_axes()),
        _face(*head.points),
    )
    surface = on_grid(skin.astype(np.float32), axes)
    shell = (surface < 2) & (brain_distance > -4)
    hull = on_grid(head.hull_distance, axes)[shell]
    depth = brain_distance[shell]
    surface = surface[shell]
    x, y, z = points[:, shell]

    rest = 1 - sum(fractions.values())[shell]
    layer = rest * soft_below(depth, head.fluid_layer, width=2.0)
    rest = rest - layer
    bone = rest * soft_below(hull, head.skull, width=1.5)
    rest = (rest - bone) * soft_below(surface, 0, width=2.0)
    marrow = bone * np.exp(-(((hull - 0.5 * head.skull) / (0.22 * head.skull)) ** 2))
    eyes = rest * soft_below(_ball(np.abs(x), y, z, (32, 64, -38), 12), 0, width=2.0)
    rest = rest - eyes
    airways = np.minimum(
        _ball(x, y / 1.6, z / 1.3, (0, 45, -42), 11), _ball(x, y, z, (0, 70, -15), 9)
    )
    mixture = head.soft_tissue.on(axes)[shell]
    # ASSUME: face and neck are muscle with random islands of fat and air, not true anatomy.
    hollow = soft_below(mixture, -1.1, width=0.5) * soft_below(surface, -9, width=4.0)
    rest = rest * (1 - np.maximum(soft_below(airways, 0, width=3.0), hollow))
    fat = rest * np.maximum.reduce(
        [
            1 - soft_below(surface, -4.5, width=2.0),
            0.8 * soft_below(_ball(np.abs(x), y, z, (30, 50, -36), 19), 0, width=4.0),
            0.75 * (1 - soft_below(mixture, 0.7, width=0.6)),
        ]
    )
    for name, values in {
        "bone": bone - marrow,
        "marrow": marrow,
        "eye": eyes,
        "fat": fat,
        "muscle": rest - fat,
    }.items():
        fractions[name] = _filled(brain_distance.shape, shell, values)
    fractions["fluid"][shell] += layer


def _ball(x, y, z, centre: tuple[float, float, float], radius: float) -> np.ndarray:
    distance = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2)
    return distance - radius


def _face(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Roughly signed distance (mm) to the skin of face and neck, in template coordinates."""
    face = 55 * (np.sqrt((x / 60) ** 2 + ((y - 30) / 62) ** 2 + ((z + 62) / 72) ** 2) - 1)
    nose = _ball(1.5 * x, y, 0.7 * z, (0, 90, -38), 15)
    neck = 50 * (np.sqrt((x / 52) ** 2 + ((y + 34) / 58) ** 2) - 1) + np.maximum(z + 66, 0)
    return np.minimum(np.minimum(face, nose), neck)
