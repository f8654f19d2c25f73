"""MSLUB (3D-MR-MS): multiple sclerosis, University of Ljubljana, lit.fe.uni-lj.si."""

from pathlib import Path

from brainuad.datasets.layouts import RawSubject, SourceOptions
from brainuad.datasets.layouts._tree import cases, raw_subject, read_tree

LAYOUT = "patient01/patient01_{T1W,T2W,consensus_gt}.nii.gz"
LESIONS = frozenset({1})
IGNORED: frozenset[int] = frozenset()
FIXED_LABELS = True
LESIONS_ON_OWN_GRID = False
BRAIN_MASKS = False
DEMOGRAPHICS = ()

FILES = {"t1": "T1W", "t2": "T2W", "seg": "consensus_gt"}


def find_subjects(root: Path, options: SourceOptions) -> list[RawSubject]:
    """One subject per patient folder, at any depth.

    Its scans are the co-registered ones, on whose grid the mask lies. Those of the same name in
    patient01/raw/ are native and never taken.
    """
    tree = read_tree(root)
    return [
        raw_subject(
            tree,
            patient,
            {
                role: [f"{folder}/{patient}_{kind}" for folder in folders]
                for role, kind in FILES.items()
            },
        )
        for patient, folders in cases(tree, r"(?:.*/)?(?P<case>patient\d+)").items()
    ]
