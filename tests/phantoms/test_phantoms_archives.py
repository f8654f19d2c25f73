"""Phantoms as downloaded: the archives' names and contents, and IXI's spreadsheet."""

import os
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import make_phantoms
from brainuad.phantoms.archives import pack
from brainuad.phantoms.layouts import Dataset
from brainuad.phantoms.spreadsheet import COLUMNS, rows_of, write_spreadsheet

SCAN = "sub-r001s001/ses-1/anat/sub-r001s001_ses-1_space-MNI152NLin2009aSym_T1w.nii.gz"
MASK = SCAN.replace("_T1w", "_label-L_desc-T1lesion_mask")

# Files of the unpacked tree -> the archive they are in (without its suffix) and their names there.
PLACES = {
    "ixi": {
        "IXI-T1/IXI002-Guys-0828-T1.nii.gz": ("IXI-T1", "IXI002-Guys-0828-T1.nii.gz"),
        "IXI-T2/IXI002-Guys-0828-T2.nii.gz": ("IXI-T2", "IXI002-Guys-0828-T2.nii.gz"),
    },
    "brats21": {
        name: ("BraTS2021_Training_Data", name)
        for name in (
            "BraTS2021_00000/BraTS2021_00000_t1.nii.gz",
            "BraTS2021_00002/BraTS2021_00002_t1.nii.gz",
        )
    },
    "mslub": {
        "patient01/patient01_T2W.nii.gz": (
            "3D-MR-MS_patient01-05",
            "patient01/patient01_T2W.nii.gz",
        ),
        "patient05/raw/patient05_T2W.nii.gz": (
            "3D-MR-MS_patient01-05",
            "patient05/raw/patient05_T2W.nii.gz",
        ),
        "patient06/patient06_T2W.nii.gz": (
            "3D-MR-MS_patient06-10",
            "patient06/patient06_T2W.nii.gz",
        ),
    },
    "atlas": {
        f"Training/R001/{name}": ("ATLAS_R2.0", f"ATLAS_2/Training/R001/{name}")
        for name in (SCAN, MASK)
    },
    "wmh": {
        name: ("dataverse_files", name)
        for name in ("training/Utrecht/0/wmh.nii.gz", "training/Utrecht/0/orig/T1.nii.gz")
    },
}


def write_tree(root: Path, dataset: str) -> None:
    for name in PLACES[dataset]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"the scan {name}")


def files_in(path: Path) -> dict[str, str]:
    """Contents of an archive's files by name, read as any user's tool would."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            return {
                entry.filename: archive.read(entry).decode()
                for entry in archive.infolist()
                if not entry.is_dir()
            }
    with tarfile.open(path) as archive:
        return {
            entry.name: archive.extractfile(entry).read().decode()
            for entry in archive
            if entry.isfile()
        }


@pytest.mark.parametrize("kind", ["tar", "zip"])
@pytest.mark.parametrize("dataset", PLACES)
def test_a_packed_tree_holds_every_file_in_its_place(tmp_path, dataset, kind):
    write_tree(tmp_path, dataset)
    pack(tmp_path, dataset=Dataset(dataset), kind=kind)
    suffix = {"zip": ".zip", "tar": ".tar.gz" if dataset == "atlas" else ".tar"}[kind]
    expected: dict[str, dict[str, str]] = {}
    for name, (archive, inside) in PLACES[dataset].items():
        expected.setdefault(archive + suffix, {})[inside] = f"the scan {name}"
    # Nothing of the unpacked tree is left beside the archives.
    assert {path.name: files_in(path) for path in tmp_path.iterdir()} == expected


@pytest.mark.parametrize("kind", ["tar", "zip"])
@pytest.mark.parametrize("dataset", ["ixi", "atlas"])
def test_the_same_tree_gives_the_same_bytes_at_another_time(tmp_path, dataset, kind):
    packed = []
    for folder, moment, mode in (("one", 1_000_000_000, 0o600), ("two", 1_500_000_000, 0o644)):
        write_tree(tmp_path / folder, dataset)
        for path in (tmp_path / folder).rglob("*.nii.gz"):
            path.chmod(mode)
            os.utime(path, (moment, moment))
        paths = pack(tmp_path / folder, dataset=Dataset(dataset), kind=kind)
        packed.append([(path.name, path.read_bytes()) for path in paths])
    assert packed[0] == packed[1]


@pytest.mark.filterwarnings("ignore:The xlrd engine")
def test_ixi_arrives_as_two_tars_and_a_spreadsheet(tmp_path):
    settings = {
        "subjects": 3,
        "spacing": [12, 12, 12],
        "single_modality": 1,
        "truncated": 1,
        "archive": "tar",
    }
    make_phantoms.main(output=tmp_path / "ixi", dataset="ixi", settings=settings, seed=0)
    arrived = sorted((tmp_path / "ixi").iterdir())
    assert [path.name for path in arrived] == ["IXI-T1.tar", "IXI-T2.tar", "IXI.xls"]
    with tarfile.open(arrived[1]) as archive:
        assert archive.getnames() == ["IXI002-Guys-0474-T2.nii.gz", "IXI004-Guys-0548-T2.nii.gz"]
    # People up to the last subject's number, IXI004, whether they have scans or not.
    assert list(pd.read_excel(arrived[2]).IXI_ID) == [1, 2, 3, 4, 4]


@pytest.mark.filterwarnings("ignore:The xlrd engine")
def test_the_spreadsheet_has_the_faults_of_the_real_one(tmp_path):
    for name in ("IXI.xls", "again.xls"):
        write_spreadsheet(tmp_path / name, numbers=range(1, 11), seed=3)
    assert (tmp_path / "IXI.xls").read_bytes() == (tmp_path / "again.xls").read_bytes()
    table = pd.read_excel(tmp_path / "IXI.xls")
    assert tuple(table.columns) == COLUMNS
    assert list(table.IXI_ID) == [1, 2, 3, 4, 4, 5, 5, 6, 8, 8, 9, 10]
    sexes, ages = table["SEX_ID (1=m, 2=f)"], table["AGE"]
    assert set(sexes) == {0, 1, 2}
    zeroed = (sexes == 0).to_numpy()
    assert list(table.index[zeroed]) == [4, 5]
    assert list(table.index[ages.isna()]) == [2, 4, 5]
    assert ages[9] == pytest.approx(ages[8] + 2.5)
    assert ages.dropna().between(20, 90).all()
    # Ages follow from the dates, but for the row that contradicts another.
    years = (table.STUDY_DATE - table.DOB).dt.days / 365.25
    agreeing = ages.notna() & (table.index != 9)
    assert (years - ages)[agreeing].abs().max() < 0.01


def test_a_person_s_rows_depend_on_nobody_else(tmp_path):
    assert rows_of(9, seed=3) == rows_of(9, seed=3)
    assert rows_of(9, seed=3) != rows_of(9, seed=4)
    assert rows_of(9, seed=3)[0]["AGE"] != rows_of(10, seed=3)[0]["AGE"]
