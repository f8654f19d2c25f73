"""BraTS 2021: gliomas, stripped and in SRI24 space, Synapse syn25829067."""

from pathlib import Path

from brainuad.sources import RawSubject, existing, existing_scans

LAYOUT = "BraTS2021_00000/BraTS2021_00000_{t1,t2,seg}.nii.gz"
LESION_LABELS = frozenset({1, 2, 4})


def find_subjects(root: Path) -> list[RawSubject]:
    """One subject per case folder, also where the archive's own folder is kept."""
    folders = {*root.glob("BraTS2021_*/"), *root.glob("BraTS2021_Training_Data/BraTS2021_*/")}
    return [
        RawSubject(
            folder.name,
            existing_scans(
                t1=folder / f"{folder.name}_t1.nii.gz", t2=folder / f"{folder.name}_t2.nii.gz"
            ),
            seg=existing(folder / f"{folder.name}_seg.nii.gz"),
        )
        for folder in sorted(folders, key=lambda folder: folder.name)
        if folder.name.removeprefix("BraTS2021_").isdigit()
    ]
