"""Vascular lesions with exact masks: infarcts and white-matter hyperintensities."""

import numpy as np

from brainuad.phantoms.anatomy import Head, Tissues
from brainuad.phantoms.fields import Axes, smooth_field
from brainuad.phantoms.lesions import (
    Layer,
    Lesions,
    Plan,
    nearest_on_lattice,
    offsets,
    placed,
    random_place,
    random_shape,
    soft_edge,
    texture_on,
    window_around,
)
from brainuad.phantoms.template import Template


def plan_infarct(
    template: Template, head: Head, rng: np.random.Generator, lesion_load: float
) -> Plan:
    """Chronic infarct (1): mostly a wedge with its base on the cortex, sometimes deep and round."""
    del template
    if rng.random() < 0.2:
        return _plan_deep_infarct(head, rng, lesion_load)
    x, _, z = head.points
    surface = (head.brain_distance > -6) & (head.brain_distance < -1)
    base = random_place(rng, surface & (np.abs(x) > 25) & (z > -15) & (z < 62))
    template_base = head.points[(slice(None), *nearest_on_lattice(base))]
    inside = np.array([np.sign(template_base[0]) * 16, 0.4 * template_base[1] - 8, 18])
    inwards = inside - template_base + rng.normal(0, 6, 3)
    inwards /= np.linalg.norm(inwards)
    length = float(rng.uniform(26, 50)) * lesion_load ** (1 / 3)
    half_angle = float(np.deg2rad(rng.uniform(22, 42)))
    apex = base + length * inwards
    seed = rng.integers(2**32)

    def draw(tissues: Tissues, axes: Axes) -> Lesions:
        local = np.random.default_rng(seed)
        window, inner = window_around(axes, apex, length + 16)
        offset = offsets(inner, apex)
        distance = np.linalg.norm(offset, axis=0) + 1e-3
        along = np.einsum("i,ixyz->xyz", -inwards, offset) / distance
        angle = np.arccos(np.clip(along, -1, 1))
        rough = smooth_field(local, spacing=16.0).on(inner)
        outside_wedge = distance * np.sin(np.minimum(angle - half_angle, np.pi / 2))
        excess = np.maximum(outside_wedge, distance - length - 12) + 1.8 * rough
        return _infarct(excess, tissues, axes, window, local)

    return Plan(head, draw)


def _plan_deep_infarct(head: Head, rng: np.random.Generator, lesion_load: float) -> Plan:
    x, _, z = head.points
    deep = (head.brain_distance < -18) & (head.ventricle_distance > 5)
    centre = random_place(rng, deep & (np.abs(x) > 12) & (np.abs(x) < 40) & (z > -5) & (z < 45))
    radius = float(rng.uniform(8, 13)) * lesion_load ** (1 / 3)
    shape = random_shape(rng, 0.2)
    seed = rng.integers(2**32)

    def draw(tissues: Tissues, axes: Axes) -> Lesions:
        local = np.random.default_rng(seed)
        window, inner = window_around(axes, centre, 2 * radius)
        offset = offsets(inner, centre)
        distance = np.linalg.norm(np.einsum("ij,jxyz->ixyz", shape, offset), axis=0)
        excess = distance - radius * (1 + 0.14 * smooth_field(local, spacing=8.0).on(inner))
        return _infarct(excess, tissues, axes, window, local)

    return Plan(head, draw)


def _infarct(
    excess: np.ndarray,
    tissues: Tissues,
    axes: Axes,
    window: tuple[slice, ...],
    rng: np.random.Generator,
) -> Lesions:
    clear = soft_edge(1.5 - tissues.ventricle_distance[window], 2.0)
    shape = soft_edge(excess, 3.0) * tissues.brain[window] * clear
    strength = np.clip(0.9 + 0.07 * texture_on(rng, axes, 10.0)[window], 0.65, 1)
    layer = Layer("infarct", placed(axes, window, shape * strength), texture_on(rng, axes))
    return Lesions((layer,), placed(axes, window, (shape > 0.5).astype(np.uint8)))


def plan_hyperintensities(
    template: Template, head: Head, rng: np.random.Generator, lesion_load: float
) -> Plan:
    """Caps and bands around the ventricles and spots in deep white matter (1).

    One person in three also has other pathology (2): a small old infarct.
    """
    band = float(rng.uniform(0.5, 2.8)) * lesion_load**0.5
    cap = float(rng.uniform(3.0, 7.0)) * lesion_load**0.5
    deep = (head.brain_distance < -12) & (head.white > 0.8) & (head.ventricle_distance > 10)
    spots = [
        (random_place(rng, deep & (head.points[2] > 5)), float(rng.uniform(2.5, 5.0)))
        for _ in range(rng.poisson(7 * lesion_load))
    ]
    has_other = rng.random() < 1 / 3
    other = _plan_deep_infarct(head, rng, float(rng.uniform(0.4, 0.9))) if has_other else None
    del template
    seed = rng.integers(2**32)

    def draw(tissues: Tissues, axes: Axes) -> Lesions:
        local = np.random.default_rng(seed)
        reach = band + 2.0 * smooth_field(local, spacing=13.0).on(axes)
        # Caps are at the frontal horns and the trigones, the two ends of the lateral ventricles.
        along = np.abs(axes[1] + 8.0).reshape(1, -1, 1)
        reach = reach + cap * np.clip((along - 18) / 22, 0, 1).astype(np.float32)
        excess = tissues.ventricle_distance - reach
        uneven = smooth_field(local, spacing=6.0)
        for centre, radius in spots:
            window, inner = window_around(axes, centre, 2.5 * radius)
            offset = offsets(inner, centre)
            distance = np.linalg.norm(offset, axis=0) - radius * (1 + 0.15 * uneven.on(inner))
            excess[window] = np.minimum(excess[window], distance)
        white = np.clip(1.6 * tissues.fractions["white"] - 0.1, 0, 1)
        # The corpus callosum between the ventricles has no lesions.
        lateral = np.clip((np.abs(axes[0]) - 8) / 6, 0, 1).reshape(-1, 1, 1).astype(np.float32)
        shape = soft_edge(excess, 2.5) * white * lateral * tissues.brain
        strength = np.clip(0.88 + 0.08 * texture_on(local, axes, 9.0), 0.6, 1)
        layers = [Layer("hyperintensity", shape * strength, texture_on(local, axes))]
        labels = (shape > 0.5).astype(np.uint8)
        if other is not None:
            more = other.draw(tissues, axes)
            layers.append(Layer("other", more.layers[0].weight, more.layers[0].texture))
            labels[more.labels > 0] = 2
        return Lesions(tuple(layers), labels)

    return Plan(head, draw)
