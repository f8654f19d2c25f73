"""ATLAS v2.0: chronic stroke, 33 cohorts, MNI space, with skull, fcon_1000.projects.nitrc.org."""

from pathlib import Path

from brainuad.sources import RawSubject, existing, existing_scans

LAYOUT = (
    "Training/R001/sub-r001s001/ses-1/anat/"
    "sub-r001s001_ses-1_space-MNI152NLin2009aSym_{T1w,label-L_desc-T1lesion_mask}.nii.gz"
)
LESION_LABELS = frozenset({1})


def find_subjects(root: Path) -> list[RawSubject]:
    """One subject per folder of the training part, the only one that comes with masks."""
    folders = [
        *root.glob("Training/R*/sub-*/ses-1/anat/"),
        *root.glob("ATLAS_2/Training/R*/sub-*/ses-1/anat/"),
    ]
    subjects = []
    for folder in sorted(folders):
        subject, cohort = folder.parts[-3], folder.parts[-4]
        stem = f"{subject}_ses-1_space-MNI152NLin2009aSym"
        subjects.append(
            RawSubject(
                subject,
                existing_scans(t1=folder / f"{stem}_T1w.nii.gz"),
                seg=existing(folder / f"{stem}_label-L_desc-T1lesion_mask.nii.gz"),
                site=cohort,
            )
        )
    return subjects
