"""Files of the data sets with names like those of scans, which no layout may take for scans."""

from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.spatial.transform import Rotation

from brainuad.phantoms.acquisition import OTHER_FILES

MSLUB_RAW = ("T1W", "T2W", "FLAIR")
THICK = 4  # slices of the co-registered scans in one slice of the raw ones


def add_mslub_companions(folder: Path, *, seed: tuple[int, ...]) -> list[Path]:
    """Write raw/, the scans as acquired, and T1WKS (after contrast agent) on the scans' own grid.

    The raw scans have thick slices, and the head has another pose in each of them, so that the
    lesion mask does not fit them.
    """
    name = folder.name
    rng = np.random.default_rng((*seed, OTHER_FILES))
    paths = []
    for kind in MSLUB_RAW:
        scan = nib.load(folder / f"{name}_{kind}.nii.gz")
        values = np.asarray(scan.dataobj)
        motion = np.eye(4)
        motion[:3, :3] = Rotation.from_euler("xyz", rng.normal(0, 6, 3), degrees=True).as_matrix()
        motion[:3, 3] = rng.normal(0, 8, 3)
        affine = motion @ scan.affine @ np.diag([1, 1, THICK, 1])
        paths.append(folder / "raw" / f"{name}_{kind}.nii.gz")
        _save(values[:, :, ::THICK], paths[-1], affine=affine, header=scan.header)
        if kind == "T1W":
            # ASSUME: the phantoms' T1WKS of MSLUB is T1W with thick slices and coarse grey values,
            # without any enhancement, since no rule reads it.
            thick = np.repeat(values[:, :, ::THICK], THICK, axis=2)[:, :, : values.shape[2]]
            paths.append(folder / f"{name}_T1WKS.nii.gz")
            _save(thick // 32 * 32, paths[-1], affine=scan.affine, header=scan.header)
    return paths


def add_wmh_companions(folder: Path) -> list[Path]:
    """Write pre/, which has the organisers' bias-corrected copies of orig/."""
    paths = []
    for kind in ("T1", "FLAIR"):
        scan = nib.load(folder / "orig" / f"{kind}.nii.gz")
        paths.append(folder / "pre" / f"{kind}.nii.gz")
        # ASSUME: the phantoms' bias-corrected scans of WMH are half as bright: no rule reads pre/,
        # and a test can distinguish them from orig/.
        halved = np.asarray(scan.dataobj) // 2
        _save(halved, paths[-1], affine=scan.affine, header=scan.header)
    return paths


def _save(values: np.ndarray, path: Path, *, affine: np.ndarray, header: nib.Nifti1Header) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(values, affine, header), path)
