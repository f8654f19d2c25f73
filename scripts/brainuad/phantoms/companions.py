"""Files that come beside the scans under like names, and that no source may take for them."""

from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.spatial.transform import Rotation

from brainuad.phantoms.acquisition import BESIDE

MSLUB_RAW = ("T1W", "T2W", "FLAIR")
THICK = 4  # voxels of the co-registered scans in one slice of the raw ones


def add_mslub_companions(folder: Path, *, seed: tuple[int, ...]) -> list[Path]:
    """raw/, the scans as first acquired, and T1WKS (after contrast agent) on the scans' own grid.

    The raw scans have thick slices, and the head lies differently in each of them, so that a
    lesion mask laid over them would be wrong.
    """
    name = folder.name
    rng = np.random.default_rng((*seed, BESIDE))
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
            # ASSUME: MSLUB's T1WKS is T1W in thick slices and coarse grey values, without any
            # enhancement: no rule reads it.
            thick = np.repeat(values[:, :, ::THICK], THICK, axis=2)[:, :, : values.shape[2]]
            paths.append(folder / f"{name}_T1WKS.nii.gz")
            _save(thick // 32 * 32, paths[-1], affine=scan.affine, header=scan.header)
    return paths


def add_wmh_companions(folder: Path) -> list[Path]:
    """pre/: the organisers' bias-corrected copies of orig/."""
    paths = []
    for kind in ("T1", "FLAIR"):
        scan = nib.load(folder / "orig" / f"{kind}.nii.gz")
        paths.append(folder / "pre" / f"{kind}.nii.gz")
        # ASSUME: half as bright stands for WMH's bias-corrected scans: no rule reads pre/, and a
        # test can tell the two apart.
        halved = np.asarray(scan.dataobj) // 2
        _save(halved, paths[-1], affine=scan.affine, header=scan.header)
    return paths


def _save(values: np.ndarray, path: Path, *, affine: np.ndarray, header: nib.Nifti1Header) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(values, affine, header), path)
