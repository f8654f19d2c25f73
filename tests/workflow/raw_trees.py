"""Raw trees of tiny valid NIfTI files, in the real names and numbers of the five data sets."""

import os
from pathlib import Path

import nibabel as nib
import numpy as np

SUBJECTS = {"ixi": 560, "brats21": 1251, "mslub": 30, "atlas": 655, "wmh": 60}


def tiny_files(folder: Path) -> tuple[Path, Path]:
    """A scan and a lesion mask of 8x8x8 voxels."""
    rng = np.random.default_rng(0)
    lesions = np.zeros((8, 8, 8), dtype=np.uint8)
    lesions[3:5, 3:5, 3:5] = 1
    paths = folder / "scan.nii.gz", folder / "lesions.nii.gz"
    volumes = rng.uniform(1, 100, (8, 8, 8)).astype(np.float32), lesions
    for path, volume in zip(paths, volumes, strict=True):
        nib.save(nib.Nifti1Image(volume, np.eye(4)), path)
    return paths


def raw_files(dataset: str, count: int) -> tuple[list[str], list[str]]:
    """The names of the scans and of the lesion masks under the data set's root."""
    numbers = range(count)
    match dataset:
        case "ixi":
            sites = ("Guys", "HH", "IOP")
            names = [f"IXI{n + 2:03d}-{sites[n % 3]}-{n + 700:04d}" for n in numbers]
            return [f"IXI-{m}/{name}-{m}.nii.gz" for name in names for m in ("T1", "T2")], []
        case "brats21":
            cases = [f"BraTS2021_{n:05d}/BraTS2021_{n:05d}" for n in numbers]
            scans = [f"{case}_{m}.nii.gz" for case in cases for m in ("t1", "t1ce", "t2", "flair")]
            return scans, [f"{case}_seg.nii.gz" for case in cases]
        case "mslub":
            cases = [f"patient{n + 1:02d}/patient{n + 1:02d}" for n in numbers]
            scans = [f"{case}_{m}.nii.gz" for case in cases for m in ("T1W", "T2W", "FLAIR")]
            return scans, [f"{case}_consensus_gt.nii.gz" for case in cases]
        case "atlas":
            stems = []
            for n in numbers:
                subject = f"sub-r{n // 40 + 1:03d}s{n % 40 + 1:03d}"
                folder = f"Training/R{n // 40 + 1:03d}/{subject}/ses-1/anat"
                stems.append(f"{folder}/{subject}_ses-1_space-MNI152NLin2009aSym")
            scans = [f"{stem}_T1w.nii.gz" for stem in stems]
            return scans, [f"{stem}_label-L_desc-T1lesion_mask.nii.gz" for stem in stems]
        case "wmh":
            sites = ("Utrecht", "Singapore", "Amsterdam/GE3T")
            cases = [f"training/{sites[n % 3]}/{n}" for n in numbers]
            scans = [f"{case}/orig/{m}.nii.gz" for case in cases for m in ("T1", "3DT1", "FLAIR")]
            return scans, [f"{case}/wmh.nii.gz" for case in cases]
    raise ValueError(f"no such data set: {dataset}")


def write_raw_tree(root: Path, dataset: str, count: int) -> None:
    """Write the tree; every file is a link to one scan or one lesion mask."""
    root.mkdir(parents=True)
    files = tiny_files(root.parent)
    for target, names in zip(files, raw_files(dataset, count), strict=True):
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(target, path)
    for file in files:
        file.unlink()
