"""WMH 2017: white-matter hyperintensities from three scanners, DataverseNL doi:10.34894/AECRSD."""

from pathlib import Path

from brainuad.datasets.layouts import Layout, LayoutOptions, RawSubject
from brainuad.datasets.layouts._tree import raw_subject, read_tree
from brainuad.io import job

# ASSUME: the T1 scan is orig/T1, which the organisers aligned to the FLAIR scan on which wmh.nii.gz
# was drawn; orig/3DT1 is not aligned to it.
MODALITIES = {"t1": "orig/T1", "flair": "orig/FLAIR"}
LAYOUT = Layout(
    expected=(
        "training/{Utrecht/0,Singapore/50,Amsterdam/GE3T/100}/orig/{T1,FLAIR}.nii.gz, "
        "wmh.nii.gz next to orig"
    ),
    modalities=MODALITIES,
    ignored=frozenset({2}),
    fixed_labels=True,
    # The mask was drawn on the FLAIR scan.
    lesions_on_own_grid=True,
)

# In the download of a single site, the folder above GE3T is missing or not called Amsterdam.
PLACE = r"(?P<site>Utrecht|Singapore|(?:(?!test/)[^/]+/)?GE3T)/(?P<number>\d+)"
FOLDER = rf"(?:(?:.*/)?training/)?{PLACE}"
TEST_FOLDER = r"(?:.*/)?test/(?:[^/]+/){1,2}\d+"


def find_subjects(root: Path, options: LayoutOptions) -> list[RawSubject]:
    """One subject per training case, named as in the released splits: Utrecht_0.

    The training part may be at any depth, or be the root itself. The cases under test/ are not
    among the paper's 60; the log says how many there are.
    """
    tree = read_tree(root)
    folders: dict[str, list[str]] = {}
    for match in tree.folders(FOLDER):
        site = "Amsterdam" if match["site"].endswith("GE3T") else match["site"]
        subject = f"{site}_{match['number']}"
        folders.setdefault(subject, []).append(match[0])
    names = {modality: MODALITIES[modality] for modality in options.modalities} | {"seg": "wmh"}
    if passed_over := len(tree.folders(TEST_FOLDER)):
        job.log(f"{root}: {passed_over} cases under test/ are not used, only those of training/")
    return [
        raw_subject(
            tree,
            subject,
            {
                role: [f"{folder}/{name}" for folder in folders[subject]]
                for role, name in names.items()
            },
            site=subject.partition("_")[0],
        )
        for subject in sorted(folders)
    ]
