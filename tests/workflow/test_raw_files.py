"""Raw files wherever they lie: a change of one is seen, and their clocks do not count."""

import csv
import os
import time
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from conftest import make_working_directory

OTHERS = dict.fromkeys(("ixi", "brats21", "mslub", "atlas", "wmh"))
# Healthy people in a table, patients behind a linked folder, and patients in an archive.
CONFIG = {
    "datasets": OTHERS
    | {
        "people": {
            "layout": "table",
            "table": "../tables/scans.tsv",
            "demographics": "../tables/people.csv",
            "root": "raw/people",
            "healthy": True,
            "modalities": ["t1"],
            "skull_stripping": "none",
            "validation": 3,
            "test": 1,
        },
        "linked": {
            "layout": "files",
            "files": {"t1": "{subject}/T1.nii.gz", "seg": "{subject}/lesions.nii.gz"},
            "root": "raw/linked",
            "healthy": False,
            "modalities": ["t1"],
            "skull_stripping": "none",
            "validation": 1,
        },
        "packed": {
            "layout": "files",
            "files": {"t1": "{subject}.nii.gz"},
            "root": "raw/packed",
            "archives": ["scans.zip"],
            "healthy": False,
            "lesion_masks": False,
            "modalities": ["t1"],
            "skull_stripping": "none",
        },
    },
}
SETS = ("people", "linked", "packed")
TABLES = [f"results/subjects/{name}.tsv" for name in SETS]
CHUNKS = [f"results/resampled/{name}_t1/chunk000" for name in SETS]
AHEAD = 3 * 3600  # s


def write_nifti(path: Path, seed: int | None) -> None:
    """A scan of this seed, or an empty lesion mask."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if seed is None:
        data = np.zeros((6, 6, 6), np.uint8)
    else:
        data = np.random.default_rng(seed).integers(1, 1000, (6, 6, 6)).astype(np.int16)
    nib.save(nib.Nifti1Image(data, np.diag([2.0, 2, 2, 1])), path)


def write_raw(folder: Path) -> None:
    """All raw files, three hours ahead of this machine's clock."""
    raw = folder / "raw"
    rows = ["subject\tt1"]
    for number, place in enumerate(("../people", "../elsewhere", str(raw / "far"))):
        write_nifti(raw / "tables" / place / f"{number}.nii.gz", number)
        rows.append(f"healthy{number}\t{place}/{number}.nii.gz")
    (raw / "tables" / "scans.tsv").write_text("\n".join(rows) + "\n")
    (raw / "tables" / "people.csv").write_text("subject,age\nhealthy0,40\n")
    for number in (3, 4):
        write_nifti(raw / "store" / f"patient{number}" / "T1.nii.gz", number)
        write_nifti(raw / "store" / f"patient{number}" / "lesions.nii.gz", None)
    (raw / "linked").mkdir()
    for patient in ("patient3", "patient4"):
        (raw / "linked" / patient).symlink_to(raw / "store" / patient)
    write_nifti(raw / "packed" / "5.nii.gz", 5)
    # The last one is a copy of the first healthy one's.
    write_nifti(raw / "packed" / "6.nii.gz", 0)
    with zipfile.ZipFile(raw / "packed" / "scans.zip", "w") as archive:
        for name in ("5.nii.gz", "6.nii.gz"):
            archive.write(raw / "packed" / name, name)
            (raw / "packed" / name).unlink()
    later = time.time() + AHEAD
    for path in [*raw.rglob("*"), raw]:
        os.utime(path, (later, later))


@pytest.fixture(scope="module")
def study(tmp_path_factory, snakemake) -> Path:
    """A working directory in which all scans were listed and resampled."""
    directory = make_working_directory(tmp_path_factory.mktemp("raw") / "study", CONFIG)
    (directory / "raw").mkdir()
    write_raw(directory)
    snakemake(directory, *TABLES, *CHUNKS)
    return directory


def planned(snakemake, directory: Path, *targets: str) -> str:
    return snakemake(directory, "--dry-run", *targets).stdout


def test_clocks_ahead_neither_delete_nor_repeat(study, snakemake):
    assert "Nothing to be done" in planned(snakemake, study, *TABLES, *CHUNKS)
    assert all((study / path).exists() for path in TABLES + CHUNKS)


def test_copy_of_another_data_set_is_left_out(study):
    with (study / "results/subjects/packed.tsv").open(newline="") as lines:
        rows = {row["subject"]: row for row in csv.DictReader(lines, delimiter="\t")}
    assert {subject: row["status"] for subject, row in rows.items()} == {"5": "ok", "6": "left_out"}
    reason = rows["6"]["reason"]
    assert "6.nii.gz: holds the same voxels as " in reason
    assert "people/0.nii.gz of healthy0 of people" in reason
    assert [path.name for path in (study / CHUNKS[2]).glob("[!.]*/")] == ["5"]


@pytest.mark.parametrize(
    ("file", "dataset", "rule"),
    [
        ("tables/scans.tsv", "people", "list_subjects"),
        ("tables/people.csv", "people", "list_subjects"),
        ("elsewhere/1.nii.gz", "people", "list_subjects"),
        ("far/2.nii.gz", "people", "list_subjects"),
        ("store/patient3/T1.nii.gz", "linked", "list_subjects"),
        ("store/patient4/lesions.nii.gz", "linked", "list_subjects"),
        ("packed/scans.zip", "packed", "unpack_archives"),
    ],
)
def test_change_is_seen(study, snakemake, file, dataset, rule):
    path = study / "raw" / file
    before = path.stat()
    os.utime(path, (before.st_atime, before.st_mtime - 60))
    plan = planned(snakemake, study, *TABLES)
    assert rule in plan
    assert f"results/listed/{dataset}.tsv" in plan
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_does_not_hang_on_a_change_stays(study, snakemake):
    def times():
        return [(study / path / "left_out.tsv").stat().st_mtime_ns for path in CHUNKS]

    people, linked, packed = times()
    (study / "raw/tables/people.csv").write_text("subject,age\nhealthy0,41\n")
    write_nifti(study / "raw/store/patient3/T1.nii.gz", 7)
    snakemake(study, *TABLES, *CHUNKS)
    now_people, now_linked, now_packed = times()
    assert now_linked > linked
    assert (now_people, now_packed) == (people, packed)
    assert "41" in (study / TABLES[0]).read_text()
