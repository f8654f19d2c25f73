"""From tissue fractions to a scan: contrast, texture, bias field, noise, orientation, file."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.spatial.transform import Rotation

from brainuad.phantoms.anatomy import BRAIN_CENTRE, Tissues
from brainuad.phantoms.fields import Axes, smooth_field
from brainuad.phantoms.lesions import Lesions


class Contrast(StrEnum):
    """What a scan is weighted by; `t1ce` is T1 after contrast agent."""

    T1 = "t1"
    T1CE = "t1ce"
    T2 = "t2"
    FLAIR = "flair"


# ASSUME: mean intensities of tissues, brightest brain tissue near 1, in the order a radiologist
# expects (T1: white > grey > fluid; T2: fluid > grey > white), not the values of one scanner.
TISSUES = {
    # T1, T2, FLAIR
    "fluid": (0.27, 0.98, 0.14),
    "grey": (0.64, 0.56, 0.60),
    "white": (0.88, 0.42, 0.50),
    "bone": (0.06, 0.04, 0.05),
    "marrow": (0.42, 0.24, 0.25),
    "muscle": (0.45, 0.24, 0.28),
    "fat": (1.05, 0.56, 0.60),
    "eye": (0.24, 0.96, 0.14),
    "oedema": (0.64, 0.79, 0.94),
    "necrosis": (0.40, 0.91, 0.55),
    "rim": (0.66, 0.72, 0.78),
    "plaque": (0.62, 0.82, 0.94),
    "infarct": (0.36, 0.90, 0.60),
    "hyperintensity": (0.55, 0.76, 0.92),
    "other": (0.42, 0.88, 0.70),
}
MEANS = {
    contrast: {tissue: means[place] for tissue, means in TISSUES.items()}
    for place, contrast in enumerate((Contrast.T1, Contrast.T2, Contrast.FLAIR))
}
MEANS[Contrast.T1CE] = MEANS[Contrast.T1] | {"rim": 1.25, "marrow": 0.5}

# The template's detail within its three tissues is that of T1; iron darkens T2 where T1 is bright.
DETAIL = {Contrast.T1: 1.0, Contrast.T1CE: 1.0, Contrast.T2: -0.9, Contrast.FLAIR: -0.4}
HEALTHY = ("fluid", "grey", "white")
# The last number of the seed for files other than scans; the contrasts have 1 to 4 (see `acquire`).
OTHER_FILES = 1 + len(Contrast)
AIR = 0.015


@dataclass(frozen=True)
class Scanner:
    """One visit to the scanner: how a person's tissues appear in every contrast of that visit."""

    seed: tuple[int, ...]
    gamma: float
    gain: float
    bias: float
    noise: float
    pose: np.ndarray
    shift: np.ndarray


def draw_scanner(rng: np.random.Generator, *, seed: tuple[int, ...], oblique: float) -> Scanner:
    """Draw gain, gamma, bias field, noise, and the obliqueness (sd in degrees) of the grid."""
    pose = Rotation.from_euler("xyz", rng.normal(0, oblique, 3), degrees=True).as_matrix()
    return Scanner(
        seed=seed,
        gamma=float(np.exp(rng.normal(0, 0.16))),
        gain=float(rng.uniform(450, 1100)),
        bias=float(rng.uniform(0.05, 0.13)),
        noise=float(rng.uniform(0.012, 0.03)),
        pose=pose,
        shift=rng.normal(0, 4.0, 3),
    )


def acquire(
    tissues: Tissues,
    lesions: Lesions | None,
    *,
    axes: Axes,
    contrast: Contrast,
    scanner: Scanner,
) -> np.ndarray:
    """Make one scan, int16 [X, Y, Z] in RAS order, from fractions and lesions on its grid."""
    # Counted from 1: NumPy pads seeds with zeros, so 0 would repeat the person's random numbers.
    rng = np.random.default_rng([*scanner.seed, 1 + list(Contrast).index(contrast)])
    image = ideal_image(tissues, contrast, rng=rng, spread=0.035)
    if lesions is not None:
        means = MEANS[contrast]
        for layer in lesions.layers:
            value = (means[layer.tissue] + rng.normal(0, 0.03)) * (1 + 0.11 * layer.texture)
            image += layer.weight * (value - image)
    image = np.maximum(image, 0)
    stripped = "bone" not in tissues.fractions
    texture = 1 + 0.022 * smooth_field(rng, spacing=7.0).on(axes)
    texture += 0.018 * smooth_field(rng, spacing=18.0).on(axes)
    bias = np.exp(np.float32(scanner.bias) * smooth_field(rng, spacing=90.0).on(axes))
    image = image ** np.float32(scanner.gamma) * texture * bias
    # Noise of a magnitude image follows the Rice distribution (Gudbjartsson and Patz 1995).
    noise = np.float32(scanner.noise) * rng.standard_normal((2, *image.shape), dtype=np.float32)
    image = np.hypot(image + noise[0], noise[1])
    if stripped:
        image = image * tissues.brain
    return np.rint(scanner.gain * image).clip(0, 32767).astype(np.int16)


def ideal_image(
    tissues: Tissues, contrast: Contrast, *, rng: np.random.Generator, spread: float
) -> np.ndarray:
    """Mean intensities weighted by tissue fractions, float32; each mean varies by `spread`."""
    means = MEANS[contrast]
    image = np.float32(DETAIL[contrast]) * tissues.detail
    covered = np.zeros_like(image)
    factors = np.exp(rng.normal(0, spread, len(tissues.fractions)))
    for (name, fraction), factor in zip(tissues.fractions.items(), factors, strict=True):
        image += np.float32(means[name] * factor) * fraction
        covered += fraction
    if "bone" in tissues.fractions:
        image += AIR * (1 - covered)
    return image


def grid_axes(
    *,
    field_of_view: tuple[float, float, float],
    spacing: tuple[float, float, float],
    centre: tuple[float, float, float] = BRAIN_CENTRE,
) -> Axes:
    """Voxel centres (mm) of a grid that covers a field of view (mm) around a point."""
    counts = [
        max(1, round(extent / step)) for extent, step in zip(field_of_view, spacing, strict=True)
    ]
    return tuple(
        middle + step * (np.arange(count) - (count - 1) / 2)
        for middle, step, count in zip(centre, spacing, counts, strict=True)
    )


def world_affine(axes: Axes, *, pose: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Affine of a RAS array on `axes`: turned by `pose` about the brain's centre, then shifted."""
    centre = np.array(BRAIN_CENTRE)
    affine = np.eye(4)
    affine[:3, :3] = pose @ np.diag([axis[1] - axis[0] for axis in axes])
    first = np.array([axis[0] for axis in axes])
    affine[:3, 3] = pose @ (first - centre) + centre + shift
    return affine


def save(array: np.ndarray, path: Path, *, affine: np.ndarray, orientation: str) -> None:
    """Write a RAS array in another voxel order ("LPS", "PSR", ...), at the same position."""
    image = nib.Nifti1Image(array, affine)
    image.header.set_xyzt_units("mm")
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(orientation)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image.as_reoriented(turn), path)


def truncate(path: Path) -> None:
    """Cut a file in half, like a broken download: the header can be read, the data cannot."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
