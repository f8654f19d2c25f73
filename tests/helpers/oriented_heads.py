"""Heads in many orientations and voxel sizes, one of them mirrored, through the preprocessing.

Brains with two landmarks, a large bright one at the left and a small one at the right, and with a
lesion of known volume go through the scripts of the rules. The brain of the template is the same,
but lies elsewhere. Where to_template.mat takes a point is worked out here, from the numbers in the
file.
"""

import tempfile
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import yaml
from later_stages import run_later_stages
from scipy import io, ndimage

import resample_scans
from brainuad.images.volumes import Volume, write_volume
from brainuad.io import tables
from brainuad.preprocessing.chunks import read_left_out
from brainuad.preprocessing.resampling import Resampling

SPACING = 2.0
TEMPLATE_AFFINE = np.array([[2.0, 0, 0, -59], [0, 2, 0, -73], [0, 0, 2, -55], [0, 0, 0, 1]])
TEMPLATE_SHAPE = (60, 74, 56)
# In RAS mm of the template: the large landmark is at the left, in front and at the top.
LEFT, RIGHT = np.array([-26.0, 24, 16]), np.array([24.0, 30, -12])
LESION, LESION_RADIUS = np.array([16.0, -28, 4]), 20.0
LESION_VOLUME = 4 / 3 * np.pi * LESION_RADIUS**3
MIRROR = np.array([-1.0, 1, 1])
# The scanned head is 5 % larger, shifted, and turned by 10 degrees about no axis of a grid: grids
# that nearly coincide would take or leave whole layers of a lesion's rim.
MOTION = nib.affines.from_matvec(
    1.05 * nib.quaternions.angle_axis2mat(np.deg2rad(10), [1.0, 0.7, 0.8]), [9.0, -6, 4]
)
TILT = nib.quaternions.angle_axis2mat(np.deg2rad(17), [1.0, -0.5, 0.7])
CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config" / "config.yaml").read_text())
REGISTRATION = CONFIG["preprocessing"]["registration"]
BIAS = {"shrink_factor": 4, "iterations": [15, 15], "tolerance": 1e-3, "mask_smoothing": 1.0}
NORMALIZATION = {
    "curvature_flow": {"iterations": 3, "time_step": 0.125},
    "size": [56, 72, 52],
    "downsampling": 2,
    "percentiles": [0, 100],
}
# Directions of the axes in the file, and the edges of a voxel in mm.
SCANS = {
    "RAS": ("RAS", (2.0, 2.0, 2.0)),
    "LPS": ("LPS", (0.8, 0.8, 0.8)),
    "LAS": ("LAS", (1.0, 1.0, 3.0)),
    "RPI": ("RPI", (1.5, 1.5, 1.5)),
    "PSR": ("PSR", (1.2, 1.2, 2.0)),
    "IPL": ("IPL", (1.6, 1.2, 2.4)),
    "SLA": ("SLA", (2.5, 2.5, 2.5)),
    "oblique": ("RAS", (1.3, 1.3, 2.2)),
    "mirrored": ("LPS", (2.0, 2.0, 2.0)),
}
STAGES = ["resampled", "stripped", "registered", "corrected", "normalized"]


def brain_at(points):
    """A brain of the template at RAS points [..., 3] mm, above 0 inside."""
    inside = np.linalg.norm(points / (52, 66, 48), axis=-1) < 1
    ventricle = np.linalg.norm((points - (2, -8, 8)) / (10, 24, 11), axis=-1) < 1
    folds = np.sin(points[..., 0] / 8 + 1) * np.sin(points[..., 1] / 9 + 0.3)
    image = np.where(ventricle, 25, 70 + 25 * folds * np.sin(points[..., 2] / 7 + 0.6))
    image = np.where(np.linalg.norm(points - LEFT, axis=-1) < 9, 300, image)
    image = np.where(np.linalg.norm(points - RIGHT, axis=-1) < 7, 230, image)
    return np.where(inside, image, 0).astype(np.int16)


def points_of(affine, shape):
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), axis=-1)
    return (index @ affine[:3, :3].T + affine[:3, 3]).astype(np.float32)


def moved(point, scan):
    """Where a point of the template's brain lies in the scanner."""
    return nib.affines.apply_affine(MOTION, point * MIRROR if scan == "mirrored" else point)


def grid_of(scan):
    """Affine and shape of a field of view of 126 x 156 x 118 mm about the head."""
    codes, edges = SCANS[scan]
    axes = nib.orientations.axcodes2ornt(tuple(codes))
    linear = np.zeros((3, 3))
    for column, (axis, direction) in enumerate(axes):
        linear[int(axis), column] = direction * edges[column]
    extent = np.array([126, 156, 118])[axes[:, 0].astype(int)]
    shape = np.ceil(extent / edges).astype(int)
    if scan == "oblique":
        linear = TILT @ linear
    return nib.affines.from_matvec(linear, MOTION[:3, 3] - linear @ ((shape - 1) / 2)), shape


def write_scan(folder, scan):
    affine, shape = grid_of(scan)
    assert "".join(nib.aff2axcodes(affine)) == SCANS[scan][0]
    points = points_of(affine, shape)
    still = nib.affines.apply_affine(np.linalg.inv(MOTION), points)
    image = brain_at(still * MIRROR if scan == "mirrored" else still)
    lesion = np.linalg.norm(points - moved(LESION, scan), axis=-1) < LESION_RADIUS
    write_volume(Volume(image, affine), folder / f"{scan}.nii")
    write_volume(Volume(lesion.astype(np.uint8), affine), folder / f"{scan}_seg.nii")
    return {
        "subject": scan,
        "session": "",
        "t1": folder / f"{scan}.nii",
        "seg": folder / f"{scan}_seg.nii",
    }


# Removed when the process ends.
FOLDER = tempfile.TemporaryDirectory()


@cache
def preprocessed():
    """A folder with all scans after each stage, one chunk; made once for all tests of a process."""
    folder = Path(FOLDER.name)
    table = pd.DataFrame([write_scan(folder, scan) for scan in SCANS])
    tables.write_table(table, folder / "subjects.tsv")
    template = brain_at(points_of(TEMPLATE_AFFINE, TEMPLATE_SHAPE))
    write_volume(Volume(template, TEMPLATE_AFFINE), folder / "template.nii.gz")
    resample_scans.main(
        table=folder / "subjects.tsv",
        output=folder / "resampled",
        names=list(SCANS),
        resampling=Resampling(
            modality="t1",
            spacing=SPACING,
            lesion_labels=[1],
            ignored_labels=[],
            lesions_on_own_grid=False,
        ),
    )
    run_later_stages(folder, registration=REGISTRATION, bias=BIAS, normalization=NORMALIZATION)
    assert read_left_out(folder / "normalized") == []
    return folder


def template_to_scan(chain, scan):
    """The affine [4, 4] of to_template.mat in RAS: an ITK file counts to the left and back."""
    content = io.loadmat(chain / "registered" / scan / "to_template.mat")
    (parameters,) = (content[name].ravel() for name in content if name.startswith("Affine"))
    linear, centre = parameters[:9].reshape(3, 3), content["fixed"].ravel()
    lps = nib.affines.from_matvec(linear, parameters[9:] + centre - linear @ centre)
    flip = np.diag([-1.0, -1, 1, 1])
    return flip @ lps @ flip


def landmarks_of(volume):
    """Centres [3] in RAS mm of the large and of the small landmark."""
    bright = volume.data > 0.55 * volume.data.max()
    parts, count = ndimage.label(bright)
    sizes = np.bincount(parts.ravel())[1:]
    assert count == 2, sizes
    centres = ndimage.center_of_mass(bright, parts, [1 + sizes.argmax(), 1 + sizes.argmin()])
    return nib.affines.apply_affine(volume.affine, centres)
