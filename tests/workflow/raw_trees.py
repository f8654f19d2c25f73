"""Trees of tiny valid NIfTI files in the real names and numbers: raw, and the authors' archive.

No two scans are alike; the masks are links to one of each kind. What is wrong with the released
lists is wrong here too, in numbers that `RELEASED` states: rows doubled, subjects on two sides,
validation sets that overlap.
"""

import csv
import gzip
import itertools
import os
import random
from collections.abc import Iterable
from pathlib import Path

import nibabel as nib
import numpy as np

# Subjects with every scan; beside them IXI has some with one modality.
SUBJECTS = {"ixi": 560, "brats21": 1251, "mslub": 30, "atlas": 655, "wmh": 60}
SINGLE_MODALITY = {"T1": 4, "T2": 2}
IXI_SITES = ("Guys", "HH", "IOP")
WMH_SITES = ("Utrecht", "Singapore", "Amsterdam/GE3T")
ATLAS_SPACE = "_ses-1_space-MNI152NLin2009aSym"

# The authors' archive: part, modalities, and what the names of its lists begin with.
PARTS = {
    "ixi": ("Train/ixi", ("t1", "t2"), "IXI"),
    "brats21": ("Test/Brats21", ("t2",), "Brats21"),
    "mslub": ("Test/MSLUB", ("t2",), "MSLUB"),
    "atlas": ("Test/ATLAS_v2", ("t1",), "ATLAS_v2"),
    "wmh": ("Test/WMH", ("t1",), "WMH"),
}
VALIDATION_SIZES = {"brats21": 100, "mslub": 10, "atlas": 175, "wmh": 15}
FOLDS = 5
# IXI: 560 subjects are in the lists, 2 of them without a file; 12 are in no list, 4 have no T2.
IXI_LISTED, IXI_MISSING, IXI_UNLISTED, IXI_WITHOUT_T2 = 560, 2, 12, 4
IXI_TEST, IXI_VALIDATION, IXI_TRAIN = 158, 44, 358
TEST_IN_TRAIN = (7, 8, 9, 7, 8)
VALIDATION_IN_TRAIN = 2
REPEATED_IN_TRAIN, REPEATED_IN_TEST = 27, 4
ARCHIVE_SUBJECTS = SUBJECTS | {"ixi": 570}

# What the table of splits must find, by data set and fold, if leaks are dropped.
RELEASED = {
    ("ixi", fold): {
        "train": 354 - leaks,
        "validation": 44,
        "test": 158,
        "repeated_rows": 31,
        "leaks": leaks + 2,
        "validation_overlaps": overlaps,
        "no_usable_scan": 2,
        "in_no_list": 14 + leaks,
    }
    for fold, (leaks, overlaps) in enumerate(zip(TEST_IN_TRAIN, (4, 8, 8, 8, 4), strict=True))
} | {
    (dataset, fold): {
        "train": 0,
        "validation": validation,
        "test": SUBJECTS[dataset] - validation,
        "repeated_rows": 0,
        "leaks": 0,
        "validation_overlaps": 0,
        "no_usable_scan": 0,
        "in_no_list": 0,
    }
    for dataset, validation in VALIDATION_SIZES.items()
    for fold in range(FOLDS)
}

PATH_COLUMNS = ["label", "img_path", "mask_path", "seg_path"]
LIST_COLUMNS = {
    "ixi": [
        *("img_name", "SEX_ID (1=m, 2=f)", "HEIGHT", "WEIGHT", "ETHNIC_ID", "MARITAL_ID"),
        *("OCCUPATION_ID", "QUALIFICATION_ID", "DATE_AVAILABLE", "STUDY_DATE", "age"),
        *(*PATH_COLUMNS, "Agegroup"),
    ],
    "brats21": [
        *("img_name", "Cohort Name (if publicly available)"),
        *("Site No (represents the originating institution)", "Local ID ", "age", *PATH_COLUMNS),
    ],
    "mslub": ["img_name", "age", "sex", "ms_type", *PATH_COLUMNS, "Agegroup"],
    "atlas": ["img_name", "age", *PATH_COLUMNS, "Agegroup"],
    "wmh": ["img_name", "age", *PATH_COLUMNS, "Agegroup"],
}


def tiny_files(folder: Path) -> tuple[Path, Path, Path]:
    """A scan, a lesion mask and a brain mask of 8x8x8 voxels."""
    rng = np.random.default_rng(0)
    lesions, brain = np.zeros((2, 8, 8, 8), dtype=np.uint8)
    lesions[3:5, 3:5, 3:5] = 1
    brain[1:-1, 1:-1, 1:-1] = 1
    volumes = {
        "scan": rng.uniform(1, 100, (8, 8, 8)).astype(np.float32),
        "lesions": lesions,
        "brain_mask": brain,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, volume in volumes.items():
        nib.save(nib.Nifti1Image(volume, np.eye(4)), folder / f"{name}.nii.gz")
    return tuple(folder / f"{name}.nii.gz" for name in volumes)


NUMBERS = itertools.count(1000.0)  # the value of a voxel that tells a scan from all others


def write_scans(root: Path, names: Iterable[str], scan: Path) -> None:
    """Write each of the names below root: the scan, with another value in the last voxel."""
    content = gzip.decompress(scan.read_bytes())
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        changed = content[:-4] + np.float32(next(NUMBERS)).tobytes()
        path.write_bytes(gzip.compress(changed, compresslevel=1))


def link_all(root: Path, names: Iterable[str], target: Path) -> None:
    """Make each of the names below root a link to the target."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(target, path)


def names_of(dataset: str, count: int) -> list[str]:
    """The subjects by the names of the raw layouts, gaps in their numbers included."""
    match dataset:
        case "ixi":
            return [f"IXI{n + 2:03d}-{IXI_SITES[n % 3]}-{n + 700:04d}" for n in range(count)]
        case "brats21":
            return [f"BraTS2021_{n + n // 3:05d}" for n in range(count)]
        case "mslub":
            return [f"patient{n + 1:02d}" for n in range(count)]
        case "atlas":
            return [f"sub-r{n // 40 + 1:03d}s{n % 40 + 1:03d}" for n in range(count)]
        case "wmh":
            sites = [site.split("/")[0] for site in WMH_SITES]
            return [f"{sites[n % 3]}_{n % 3 * 50 + n // 3 * 2}" for n in range(count)]
    raise ValueError(f"no such data set: {dataset}")


def raw_files(dataset: str, count: int) -> tuple[list[str], list[str], list[str]]:
    """The names of the scans, the lesion masks and the brain masks under the data set's root.

    Among them stand files that are not to be taken: MSLUB's raw/ in the very names of the
    co-registered scans, WMH's pre/, orig/3DT1 and the test cases, BraTS's other contrasts.
    """
    names = names_of(dataset, count)
    match dataset:
        case "ixi":
            single = names_of("ixi", count + sum(SINGLE_MODALITY.values()))[count:]
            only_t1, only_t2 = single[: SINGLE_MODALITY["T1"]], single[SINGLE_MODALITY["T1"] :]
            scans = [f"{name}-T1.nii.gz" for name in names + only_t1]
            return scans + [f"{name}-T2.nii.gz" for name in names + only_t2], [], []
        case "brats21":
            cases = [f"{name}/{name}" for name in names]
            scans = [f"{case}_{m}.nii.gz" for case in cases for m in ("t1", "t1ce", "t2", "flair")]
            return scans, [f"{case}_seg.nii.gz" for case in cases], []
        case "mslub":
            kinds = ("T1W", "T1WKS", "T2W", "FLAIR")
            scans = [
                f"{name}/{folder}{name}_{kind}.nii.gz"
                for name in names
                for folder in ("", "raw/")
                for kind in kinds
            ]
            lesions = [f"{name}/{name}_consensus_gt.nii.gz" for name in names]
            return scans, lesions, [f"{name}/{name}_brainmask.nii.gz" for name in names]
        case "atlas":
            stems = [
                f"ATLAS_2/Training/{name[4:8].upper()}/{name}/ses-1/anat/{name}{ATLAS_SPACE}"
                for name in names
            ]
            scans = [f"{stem}_T1w.nii.gz" for stem in stems]
            return scans, [f"{stem}_label-L_desc-T1lesion_mask.nii.gz" for stem in stems], []
        case "wmh":
            places = {site.split("/")[0]: site for site in WMH_SITES}
            parts = (name.split("_") for name in names)
            cases = [f"training/{places[site]}/{number}" for site, number in parts]
            tests = [f"test/{site}/{50 * n + 1}" for n, site in enumerate(WMH_SITES)]
            kinds = ("orig/T1", "orig/3DT1", "orig/FLAIR", "pre/T1", "pre/FLAIR")
            scans = [f"{case}/{kind}.nii.gz" for case in cases + tests for kind in kinds]
            return scans, [f"{case}/wmh.nii.gz" for case in cases], []
    raise ValueError(f"no such data set: {dataset}")


def write_raw_tree(root: Path, dataset: str, count: int) -> None:
    """Write the tree of `count` subjects with every scan, as it lies after unpacking."""
    scan, *masks = tiny_files(root)
    scans, *mask_names = raw_files(dataset, count)
    write_scans(root, scans, scan)
    for mask, names in zip(masks, mask_names, strict=True):
        link_all(root, names, mask)
    for file in (scan, *masks):
        file.unlink()


def write_authors_archive(root: Path, nested: bool) -> None:
    """Write Train/, Test/ and splits/ below root, or below Data/ in it."""
    data = root / "Data" if nested else root
    scan, lesions, brain_mask = tiny_files(data)
    for dataset, (part, modalities, _) in PARTS.items():
        names, without_t2 = archive_subjects(dataset)
        ending = ATLAS_SPACE if dataset == "atlas" else ""
        for modality in modalities:
            stems = [name for name in names if modality == "t1" or name not in without_t2]
            files = [f"{part}/{modality}/{stem}{ending}_{modality}.nii.gz" for stem in stems]
            write_scans(data, files, scan)
        link_all(data, [f"{part}/mask/{name}{ending}_mask.nii.gz" for name in names], brain_mask)
        if dataset != "ixi":
            link_all(data, [f"{part}/seg/{name}{ending}_seg.nii.gz" for name in names], lesions)
    for file in (scan, lesions, brain_mask):
        file.unlink()
    write_released_lists(data / "splits")


def archive_subjects(dataset: str) -> tuple[list[str], set[str]]:
    """The subjects whose files are in the archive, and those of them without a T2."""
    if dataset != "ixi":
        return names_of(dataset, SUBJECTS[dataset]), set()
    pool = ixi_pool()
    missing = set(pool[-60 : IXI_MISSING - 60])
    names = names_of("ixi", IXI_LISTED + IXI_UNLISTED)
    return [name for name in names if name not in missing], set(pool[-50 : IXI_WITHOUT_T2 - 50])


def ixi_pool() -> list[str]:
    """The listed subjects that are not in the test list, in an order of chance."""
    return shuffled(names_of("ixi", IXI_LISTED))[IXI_TEST:]


def shuffled(names: list[str]) -> list[str]:
    return random.Random(0).sample(names, len(names))


def released_lists() -> dict[str, tuple[str, list[str]]]:
    """From file name to data set and the subjects row by row, repeated and leaking ones too."""
    test, pool = shuffled(names_of("ixi", IXI_LISTED))[:IXI_TEST], ixi_pool()
    lists = {"IXI_test.csv": ("ixi", test + test[:REPEATED_IN_TEST])}
    for fold, leaks in enumerate(TEST_IN_TRAIN):
        # Four less than a validation set apart: neighbouring folds share four subjects.
        start = fold * (IXI_VALIDATION - 4)
        validation = pool[start : start + IXI_VALIDATION]
        others = [name for name in pool if name not in validation]
        leaking = test[:leaks] + validation[:VALIDATION_IN_TRAIN]
        train = others[: IXI_TRAIN - len(leaking)] + leaking
        lists[f"IXI_train_fold{fold}.csv"] = ("ixi", train + train[:REPEATED_IN_TRAIN])
        lists[f"IXI_val_fold{fold}.csv"] = ("ixi", validation)
    for dataset, validation in VALIDATION_SIZES.items():
        names = shuffled(names_of(dataset, SUBJECTS[dataset]))
        lists[f"{PARTS[dataset][2]}_val.csv"] = (dataset, names[:validation])
        lists[f"{PARTS[dataset][2]}_test.csv"] = (dataset, names[validation:])
    return lists


def write_released_lists(folder: Path) -> None:
    """Write the lists in the released columns, and avail_t2.csv."""
    folder.mkdir(parents=True)
    for name, (dataset, subjects) in released_lists().items():
        columns = LIST_COLUMNS[dataset]
        rows = [list_row(dataset, subject, place) for place, subject in enumerate(subjects)]
        write_csv(folder / name, columns, [[row.get(c, "") for c in columns] for row in rows])
    names, without_t2 = archive_subjects("ixi")
    files = [[f"{name}_t2.nii.gz"] for name in names if name not in without_t2]
    write_csv(folder / "avail_t2.csv", ["0"], files)


def list_row(dataset: str, subject: str, place: int) -> dict[str, str]:
    """A row of a released list: img_path says t1 also where T2 is meant."""
    part = PARTS[dataset][0]
    stem = subject + (ATLAS_SPACE if dataset == "atlas" else "")
    healthy = dataset == "ixi"
    return {
        "img_name": f"{stem}_t1.nii.gz" if healthy else stem,
        "SEX_ID (1=m, 2=f)": str(place % 2 + 1),
        "sex": "MF"[place % 2],
        "age": f"{20 + place % 60}.5",
        "Agegroup": "2.0",
        "label": "0" if healthy else "1",
        "img_path": f"/{part}/t1/{stem}_t1.nii.gz",
        "mask_path": f"/{part}/mask/{stem}_mask.nii.gz",
        "seg_path": "" if healthy else f"/{part}/seg/{stem}_seg.nii.gz",
    }


def write_csv(path: Path, columns: list[str], rows: list[list[str]]) -> None:
    """Write a CSV as pandas does: an index column without a name comes first."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["", *columns])
        writer.writerows([place, *row] for place, row in enumerate(rows))
