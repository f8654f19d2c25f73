"""Stripped phantom brains that are moved by known affine maps."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from brainuad.images.volumes import Volume
from brainuad.phantoms.acquisition import (
    Contrast,
    acquire,
    draw_scanner,
    grid_axes,
    ideal_image,
    world_affine,
)
from brainuad.phantoms.anatomy import (
    BRAIN_CENTRE,
    Head,
    Variation,
    average_head,
    draw_head,
    tissues_on,
)
from brainuad.phantoms.fields import grid_points, lattice_axes
from brainuad.phantoms.template import Template
from brainuad.preprocessing.registration import LPS_FROM_RAS, load_ants

FIELD_OF_VIEW = (196.0, 232.0, 190.0)
ROTATION, SHIFT, SCALE, SHEAR = 10.0, 20.0, 0.08, 0.03


@dataclass(frozen=True)
class MovedBrain:
    """A scan to register, and the true map of template points to scan points, RAS mm [4, 4]."""

    contrast: str
    anatomy: str
    scan: Volume
    truth: np.ndarray


def template_brain(template: Template, spacing: float) -> tuple[Volume, np.ndarray]:
    """The T1 brain of the undeformed template, and points in it, RAS mm [N, 3], 4 mm apart."""
    axes = grid_axes(field_of_view=FIELD_OF_VIEW, spacing=(spacing,) * 3)
    head = average_head(template)
    tissues = tissues_on(template, head, axes, stripped=True)
    image = ideal_image(tissues, Contrast.T1, rng=np.random.default_rng(0), spread=0.0)
    affine = world_affine(axes, pose=np.eye(3), shift=np.zeros(3))
    return Volume(np.maximum(image, 0) * tissues.brain, affine), _brain_points(head)


def moved_brains(template: Template, spacing: float, *, seeds: int) -> Iterator[MovedBrain]:
    """For each seed the template's anatomy and another one, each moved, in T1 and in T2.

    They are rotated by up to 10 degrees about each axis, shifted by up to 20 mm, scaled by up to
    8 % and sheared by up to 3 % along each; bias field, texture, Rician noise and gamma are added.
    """
    axes = grid_axes(field_of_view=FIELD_OF_VIEW, spacing=(spacing,) * 3)
    affine = world_affine(axes, pose=np.eye(3), shift=np.zeros(3))
    for seed in range(seeds):
        for anatomy in ("same", "other"):
            rng = np.random.default_rng((seed, anatomy == "other"))
            motion = draw_motion(rng)
            if anatomy == "same":
                head, truth = average_head(template), motion
            else:
                head = draw_head(template, rng, Variation(scale=0.0, rotation=0.0))
                truth = motion @ closest_affine(head)
            scanner = draw_scanner(rng, seed=(seed,), oblique=0.0)
            tissues = tissues_on(template, head, axes, stripped=True)
            for contrast in (Contrast.T1, Contrast.T2):
                image = acquire(tissues, None, axes=axes, contrast=contrast, scanner=scanner)
                scan = to_device(Volume(image, affine), motion)
                yield MovedBrain(contrast=contrast.value, anatomy=anatomy, scan=scan, truth=truth)


def draw_motion(rng: np.random.Generator) -> np.ndarray:
    """A random affine map about the brain's centre [4, 4]."""
    turn = Rotation.from_euler("xyz", rng.uniform(-ROTATION, ROTATION, 3), degrees=True)
    shape = np.diag(1 + rng.uniform(-SCALE, SCALE, 3))
    shape[np.triu_indices(3, k=1)] = rng.uniform(-SHEAR, SHEAR, 3)
    centre = np.array(BRAIN_CENTRE)
    motion = np.eye(4)
    motion[:3, :3] = turn.as_matrix() @ shape
    motion[:3, 3] = centre - motion[:3, :3] @ centre + rng.uniform(-SHIFT, SHIFT, 3)
    return motion


def to_device(volume: Volume, motion: np.ndarray) -> Volume:
    """The scan of the moved brain, on a grid that is shifted with it."""
    grid = volume.affine.copy()
    centre = np.append(BRAIN_CENTRE, 1)
    # The field of view is centred about as exactly as a technician would centre it.
    grid[:3, 3] += np.rint((motion @ centre - centre)[:3] / 2)
    back = np.linalg.inv(volume.affine) @ np.linalg.inv(motion) @ grid
    data = ndimage.affine_transform(
        volume.data.astype(np.float32), back[:3, :3], back[:3, 3], output=np.float32, order=3
    )
    return Volume(np.maximum(data, 0), grid)


def closest_affine(head: Head) -> np.ndarray:
    """The affine map of template points to points of this head, by least squares over its brain."""
    inside = head.brain_distance < 0
    subject = grid_points(lattice_axes())[:, inside].T.astype(float)
    template = np.column_stack([head.points[:, inside].T, np.ones(inside.sum())]).astype(float)
    fit = np.linalg.lstsq(template, subject, rcond=None)[0]
    return np.vstack([fit.T, [0, 0, 0, 1]])


def distances(matrix: Path, truth: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Distances (mm) between an ITK transform file and the true map at the points [N, 3]."""
    stored = load_ants().read_transform(str(matrix))
    centre = stored.fixed_parameters
    linear, shift = stored.parameters[:9].reshape(3, 3), stored.parameters[9:]
    lps = points @ LPS_FROM_RAS.T
    found = ((lps - centre) @ linear.T + centre + shift) @ LPS_FROM_RAS.T
    return np.linalg.norm(found - (points @ truth[:3, :3].T + truth[:3, 3]), axis=1)


def _brain_points(head: Head) -> np.ndarray:
    return grid_points(lattice_axes())[:, head.brain_distance < 0].T.astype(float)
