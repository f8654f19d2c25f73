"""BraTS 2021: gliomas, stripped and in SRI24 space, Synapse syn25829067."""

from pathlib import Path

from brainuad.datasets.layouts import Layout, LayoutOptions, RawSubject
from brainuad.datasets.layouts._tree import cases, raw_subject, read_tree

MODALITIES = {name: name for name in ("t1", "t1ce", "t2", "flair")}
LAYOUT = Layout(
    expected="BraTS2021_00000/BraTS2021_00000_{t1,t1ce,t2,flair,seg}.nii.gz",
    modalities=MODALITIES,
    lesions=frozenset({1, 2, 4}),
    fixed_labels=True,
)


def find_subjects(root: Path, options: LayoutOptions) -> list[RawSubject]:
    """One subject per case folder, at any depth; scans and mask have the same grid."""
    tree = read_tree(root)
    return [
        raw_subject(
            tree,
            case,
            {
                role: [f"{folder}/{case}_{role}" for folder in folders]
                for role in (*options.modalities, "seg")
            },
        )
        for case, folders in cases(tree, r"(?:.*/)?(?P<case>BraTS2021_\d+)").items()
    ]
