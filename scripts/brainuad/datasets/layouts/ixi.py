"""IXI: healthy subjects of three London hospitals, brain-development.org."""

import re
from pathlib import Path

from brainuad.datasets.layouts import Layout, LayoutOptions, RawSubject
from brainuad.datasets.layouts._tree import raw_subject, read_tree
from brainuad.io import job

MODALITIES = {"t1": "T1", "t2": "T2", "pd": "PD"}
LAYOUT = Layout(
    expected="IXI002-Guys-0828-{T1,T2,PD}.nii.gz, in folders or not",
    modalities=MODALITIES,
    demographics=("IXI.xls", "IXI.csv"),
)

STEM = re.compile(
    r"(?:.*/)?(?P<subject>(?P<number>IXI\d+)-(?P<site>[A-Za-z]+)-\d+)-(?P<modality>T1|T2|PD)"
)


def find_subjects(root: Path, options: LayoutOptions) -> list[RawSubject]:
    """One subject per name, with the modalities that exist: a few subjects lack one.

    IXI.xls identifies a subject by the number in its name; the log names those that share one.
    """
    tree = read_tree(root)
    stems: dict[str, dict[str, list[str]]] = {}
    sites: dict[str, str] = {}
    numbers: dict[str, set[str]] = {}
    for stem in tree.stems():
        if match := STEM.fullmatch(stem):
            of_subject = stems.setdefault(match["subject"], {})
            of_subject.setdefault(match["modality"].lower(), []).append(stem)
            sites[match["subject"]] = match["site"]
            numbers.setdefault(match["number"], set()).add(match["subject"])
    for number, subjects in sorted(numbers.items()):
        if len(subjects) > 1:
            shared = " and ".join(sorted(subjects))
            job.log(f"{shared} share the number {number}: they get one age and one sex")
    return [
        raw_subject(tree, subject, stems[subject], site=sites[subject]) for subject in sorted(stems)
    ]
