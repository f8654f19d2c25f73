"""Brains of ellipsoids, packed as slices, for machines without the template."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.tables import write_table

VOXEL = 2.0


def brain(
    rng: np.random.Generator, grid: tuple[int, int, int], *, lesion: bool
) -> tuple[np.ndarray, ...]:
    """T2-like image [S, H, W] in [0, 1], brain mask and lesion mask of a subject."""
    z, y, x = (
        np.linspace(-1, 1, length).reshape([-1 if axis == place else 1 for axis in range(3)])
        for place, length in enumerate(grid)
    )
    size = rng.uniform(0.9, 1.0, 3)
    radius = np.sqrt((z / size[0]) ** 2 + (y / (0.85 * size[1])) ** 2 + (x / (0.7 * size[2])) ** 2)
    inside = radius < 1
    folds = ndimage.gaussian_filter(rng.standard_normal(grid), 1.5)
    image = np.where(radius + 0.6 * folds > 0.75, 0.55, 0.35)
    width = rng.uniform(0.08, 0.14)
    ventricles = ((np.abs(x) - 0.12) / width) ** 2 + (y / 0.35) ** 2 + (z / 0.3) ** 2 < 1
    image = np.where(ventricles, 0.95, image)
    lesions = np.zeros(grid, np.uint8)
    if lesion:
        centre = rng.uniform(-0.35, 0.35, 3)
        distance = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
        lesions[distance < rng.uniform(0.15, 0.3) ** 2] = 1
        image = np.where(lesions > 0, 0.9, image)
    image = ndimage.gaussian_filter(image, 0.6) + 0.02 * rng.standard_normal(grid)
    return (np.clip(image, 0, 1) * inside).astype(np.float32), inside, lesions * inside


def write_brains(
    folder: Path, partitions: dict[str, int], *, grid: tuple[int, int, int], lesion: bool, seed: int
) -> None:
    """Write slices.npz and split.tsv with these numbers of subjects in each partition."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [part for part, count in partitions.items() for _ in range(count)]
    subjects = [f"{number:03}" for number in range(len(names))]
    rng = np.random.default_rng(seed)
    images, masks, lesions = zip(*(brain(rng, grid, lesion=lesion) for _ in names), strict=True)
    stack = SliceStack(
        images=np.stack(images),
        brain_masks=np.stack(masks),
        lesions=np.stack(lesions),
        subjects=np.array(subjects),
        affines=np.tile(np.diag([VOXEL, VOXEL, VOXEL, 1.0]), (len(names), 1, 1)),
    )
    write_slices(stack, folder / "slices.npz")
    write_table(
        pd.DataFrame({"subject": subjects, "session": "", "partition": names}), folder / "split.tsv"
    )
