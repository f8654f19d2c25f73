"""ATLAS v2.0: chronic stroke, 33 cohorts, MNI space, with skull, fcon_1000.projects.nitrc.org."""

from pathlib import Path

from brainuad.datasets.layouts import Layout, LayoutOptions, RawSubject
from brainuad.datasets.layouts._tree import cases, raw_subject, read_tree

MODALITIES = {"t1": "T1w"}
LAYOUT = Layout(
    expected=(
        "Training/R001/sub-r001s001/ses-1/anat/"
        "sub-r001s001_ses-1_space-MNI152NLin2009aSym_{T1w,label-L_desc-T1lesion_mask}.nii.gz"
    ),
    modalities=MODALITIES,
    fixed_labels=True,
)

FOLDER = r"(?:(?:.*/)?Training/)?R\d+/(?P<case>sub-r\d+s\d+)"
FILES = MODALITIES | {"seg": "label-L_desc-T1lesion_mask"}


def find_subjects(root: Path, options: LayoutOptions) -> list[RawSubject]:
    """One subject per folder of the training part, which is the only part with masks.

    The part may be at any depth, or be the root itself.
    """
    tree = read_tree(root)
    subjects = []
    for subject, folders in cases(tree, FOLDER).items():
        name = f"ses-1/anat/{subject}_ses-1_space-MNI152NLin2009aSym"
        stems = {
            role: [f"{folder}/{name}_{kind}" for folder in folders] for role, kind in FILES.items()
        }
        subjects.append(raw_subject(tree, subject, stems, site=folders[0].split("/")[-2]))
    return subjects
