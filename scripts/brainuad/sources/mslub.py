"""MSLUB (3D-MR-MS): multiple sclerosis, University of Ljubljana, lit.fe.uni-lj.si."""

from pathlib import Path

from brainuad.sources import RawSubject, existing, existing_scans

LAYOUT = "patient01/patient01_{T1W,T2W,consensus_gt}.nii.gz"
LESION_LABELS = frozenset({1})


def find_subjects(root: Path) -> list[RawSubject]:
    """One subject per patient folder; the co-registered scans, on whose grid the mask lies."""
    return [
        RawSubject(
            folder.name,
            existing_scans(
                t1=folder / f"{folder.name}_T1W.nii.gz", t2=folder / f"{folder.name}_T2W.nii.gz"
            ),
            seg=existing(folder / f"{folder.name}_consensus_gt.nii.gz"),
        )
        for folder in sorted(root.glob("patient*/"))
    ]
