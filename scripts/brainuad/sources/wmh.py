"""WMH 2017: white-matter hyperintensities from three scanners, DataverseNL doi:10.34894/AECRSD."""

from pathlib import Path

from brainuad.sources import RawSubject, existing, existing_scans

LAYOUT = (
    "training/{Utrecht/0,Singapore/50,Amsterdam/GE3T/100}/orig/T1.nii.gz, wmh.nii.gz beside orig"
)
LESION_LABELS = frozenset({1, 2})

SITES = {"Utrecht": "Utrecht", "Singapore": "Singapore", "Amsterdam": "Amsterdam/GE3T"}


def find_subjects(root: Path) -> list[RawSubject]:
    """One subject per case, named by site and number as in the released splits (Utrecht_0)."""
    subjects = []
    for site, place in SITES.items():
        for folder in {*root.glob(f"training/{place}/*/"), *root.glob(f"{place}/*/")}:
            subjects.append(
                RawSubject(
                    f"{site}_{folder.name}",
                    # ASSUME: of the T1 scans orig/T1 is taken: the organisers aligned it to the
                    # FLAIR grid on which wmh.nii.gz was drawn; orig/3DT1 lies on its own grid.
                    existing_scans(t1=folder / "orig" / "T1.nii.gz"),
                    seg=existing(folder / "wmh.nii.gz"),
                    site=site,
                )
            )
    return sorted(subjects, key=lambda raw: raw.subject)
