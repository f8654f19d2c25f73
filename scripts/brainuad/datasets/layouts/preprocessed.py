"""The authors' archive of preprocessed volumes: registered, cropped to the brain, corrected."""

from pathlib import Path

from brainuad.datasets.layouts import Layout, LayoutOptions, RawSubject
from brainuad.datasets.layouts._tree import raw_subject, read_tree
from brainuad.io.errors import SettingsError

LAYOUT = Layout(
    expected="Train/ixi/{t1,t2,mask} and Test/{Brats21,MSLUB,ATLAS_v2,WMH}/{t1 or t2,mask,seg}",
    # As released: all labels of the archive's masks are lesion, including parts of tumours and
    # other pathology.
    lesions=frozenset(range(1, 256)),
    brain_masks=True,
)

# Part of the file names of ATLAS; without it, names of subjects are those of the raw data set.
ATLAS_ENDING = "_ses-1_space-MNI152NLin2009aSym"


def find_subjects(root: Path, options: LayoutOptions) -> list[RawSubject]:
    """One subject per name in a part of the archive: Test/WMH holds t1/Utrecht_0_t1.nii.gz.

    The part is in the root, or up to two folders deeper: some copies have everything under Data/.
    Raises SettingsError if it is missing, or there twice.
    """
    part = options.part or ""
    parents = (root, *sorted(root.glob("*/")), *sorted(root.glob("*/*/")))
    folders = [parent / part for parent in parents if (parent / part).is_dir()]
    if not folders:
        raise SettingsError(
            f"there is no {part!r} below {root}; the archive holds {LAYOUT.expected}"
        )
    if len(folders) > 1:
        raise SettingsError(
            f"the part {part!r} appears twice below {root}: {folders[0]} and {folders[1]}; set the "
            "root to one of the copies"
        )
    tree = read_tree(folders[0])
    stems: dict[str, dict[str, list[str]]] = {}
    folder_of = {modality: modality for modality in options.modalities}
    for role, folder in (folder_of | {"seg": "seg", "brain_mask": "mask"}).items():
        for stem in tree.stems_in(folder):
            name = stem.removeprefix(f"{folder}/")
            if name.endswith(f"_{folder}"):
                subject = name.removesuffix(f"_{folder}").removesuffix(ATLAS_ENDING)
                stems.setdefault(subject, {}).setdefault(role, []).append(stem)
    return [raw_subject(tree, subject, stems[subject]) for subject in sorted(stems)]
