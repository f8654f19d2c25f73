"""MSLUB (3D-MR-MS): multiple sclerosis, University of Ljubljana, lit.fe.uni-lj.si."""

from pathlib import Path

from brainuad.datasets.layouts import Layout, LayoutOptions, RawSubject
from brainuad.datasets.layouts._tree import cases, raw_subject, read_tree

MODALITIES = {"t1": "T1W", "t2": "T2W", "flair": "FLAIR"}
LAYOUT = Layout(
    expected="patient01/patient01_{T1W,T2W,FLAIR,consensus_gt}.nii.gz",
    modalities=MODALITIES,
    fixed_labels=True,
)


def find_subjects(root: Path, options: LayoutOptions) -> list[RawSubject]:
    """One subject per patient folder, at any depth.

    The scans are those co-registered to FLAIR, which share the mask's grid. Scans of the same name
    in patient01/raw/ are in their own space and never used.
    """
    tree = read_tree(root)
    names = {modality: MODALITIES[modality] for modality in options.modalities}
    names["seg"] = "consensus_gt"
    return [
        raw_subject(
            tree,
            patient,
            {
                role: [f"{folder}/{patient}_{kind}" for folder in folders]
                for role, kind in names.items()
            },
        )
        for patient, folders in cases(tree, r"(?:.*/)?(?P<case>patient\d+)").items()
    ]
