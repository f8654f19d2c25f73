"""The released split lists: the subjects that the authors trained on, validated with and tested.

Healthy sets have {name}_train_fold{k}.csv, {name}_val_fold{k}.csv and {name}_test.csv, lesion sets
{name}_val.csv and {name}_test.csv. The lists of IXI have a row for each row of its spreadsheet,
which repeats subjects: these are twice in one list, or in two lists. avail_t2.csv, which names the
subjects with a T2 scan, is not read: the files themselves show it.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainuad.datasets.partitions import TEST, TRAIN, VALIDATION
from brainuad.datasets.splits import COLUMNS, usable_rows, usable_subjects
from brainuad.io.errors import SettingsError
from brainuad.io.text_tables import column_of, plain_name, read_text_table

NAME_COLUMN = "img_name"
PROBLEM_COLUMNS = ["problem", "subject", "partition", "action"]
DROPPED, KEPT, REPORTED = "dropped", "kept", "reported"

REPEATED_ROW = "repeated row"
NO_USABLE_SCAN = "no usable scan"
IN_NO_LIST = "in no list"
IN_OTHER_VALIDATION = "in validation of other folds"
# ASSUME: a subject in two partitions of the released lists is removed from the weaker one, that is
# from train before validation before test, so that the released test sets stay complete.
STRENGTH = (TEST, VALIDATION, TRAIN)
LEAKS = tuple(
    f"in {strong} and {weak}"
    for place, strong in enumerate(STRENGTH)
    for weak in STRENGTH[place + 1 :]
)

FILE_ENDING = re.compile(r"(_t[12])?(\.nii(\.gz)?)?$")
ATLAS_ENDING = "_ses-1_space-MNI152NLin2009aSym"


def released_split(
    subjects: pd.DataFrame,
    *,
    lists: Sequence[Path],
    name: str,
    fold: int,
    healthy: bool,
    keep_leaks: bool,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One fold of the released lists: a table as `splits.split_healthy` gives it, and problems.

    subjects  a subject table; its rows with status ok or partial can be used
    lists     the CSV files of the data set, for all folds
    name      the beginning of their names, such as IXI or Brats21

    The problems (problem, subject, partition, action) name each row that was not taken unchanged: a
    repeated row (one problem each, dropped), a subject in two partitions (dropped from train before
    validation before test, or kept with two rows), a subject without a usable scan (dropped), a
    usable subject in none of the fold's lists (dropped), and a subject that is in the validation of
    other folds too (only reported). Raises SettingsError for a list that is missing, empty or
    unreadable, and for a list without any usable subject.
    """
    files = find_lists(lists, name, fold=fold, healthy=healthy)
    # ASSUME: subjects with one modality are used in all released lists that contain them, as by the
    # authors, who filtered the lists by avail_t2.csv for T2.
    usable = set(usable_subjects(subjects))
    problems, rows, side_of = [], [], {}
    for partition in (side for side in STRENGTH if side in files):
        repeats = Counter(listed := read_list(files[partition]))
        for subject, count in repeats.items():
            problems += [(REPEATED_ROW, subject, partition, DROPPED)] * (count - 1)
        taken = []
        for subject in repeats:
            strong = side_of.setdefault(subject, partition)
            if strong != partition:
                action = KEPT if keep_leaks else DROPPED
                problems.append((f"in {strong} and {partition}", subject, partition, action))
            if strong == partition or keep_leaks:
                taken.append(subject)
        without = [subject for subject in taken if subject not in usable]
        problems += [(NO_USABLE_SCAN, subject, partition, DROPPED) for subject in without]
        if not taken:
            raise SettingsError(
                f"{files[partition]}: each of its subjects is also in a list of a stronger "
                "partition, so that none is left; check the lists, or set keep_leaks: true"
            )
        if len(without) == len(taken):
            raise SettingsError(
                f"{files[partition]}: none of its subjects can be used, such as {listed[0]}; check "
                "that the list belongs to this data set, and that its scans are there"
            )
        rows += [(subject, partition) for subject in taken if subject in usable]
    if healthy:
        elsewhere = _validated_elsewhere(lists, files[VALIDATION], name)
        shared = sorted(elsewhere.intersection(read_list(files[VALIDATION])))
        problems += [(IN_OTHER_VALIDATION, subject, VALIDATION, REPORTED) for subject in shared]
    problems += [(IN_NO_LIST, subject, "", DROPPED) for subject in sorted(usable - set(side_of))]
    split = pd.DataFrame(sorted(rows), columns=["subject", "partition"])
    # A subject in two partitions is in both with all scans.
    split = split.merge(usable_rows(subjects)[["subject", "session"]], on="subject")[COLUMNS]
    return split, pd.DataFrame(problems, columns=PROBLEM_COLUMNS)


def no_problems() -> pd.DataFrame:
    """The problems of a drawn split: a table without rows."""
    return pd.DataFrame(columns=PROBLEM_COLUMNS)


def find_lists(lists: Sequence[Path], name: str, *, fold: int, healthy: bool) -> dict[str, Path]:
    """The file with the list of each partition, among the lists of a data set."""
    if healthy:
        parts = {TRAIN: f"train_fold{fold}", VALIDATION: f"val_fold{fold}", TEST: "test"}
    else:
        parts = {VALIDATION: "val", TEST: "test"}
    return {partition: _only_one(lists, f"{name}_{part}.csv") for partition, part in parts.items()}


def read_list(path: Path) -> list[str]:
    """The subjects of a list, row by row, repeated ones included."""
    table = read_text_table(path)
    names = column_of(table, [plain_name(NAME_COLUMN)], path)
    if names is None:
        raise SettingsError(
            f"{path}: there is no column {NAME_COLUMN}; it has {', '.join(table.columns)}"
        )
    if table.empty:
        raise SettingsError(f"{path}: the list has no rows; copy the released file again")
    if names.isna().any():
        raise SettingsError(f"{path}: row {names.isna().idxmax()} has no {NAME_COLUMN}")
    return [subject_of(name) for name in names]


def subject_of(image_name: str) -> str:
    """The subject of a file name or a name in a list, such as IXI105-HH-1471_t1.nii.gz.

    The modality and the suffix are removed, since the lists have t1 even for T2, and so are session
    and space of ATLAS: the names are then those of the raw layouts.
    """
    return FILE_ENDING.sub("", image_name.strip(), count=1).removesuffix(ATLAS_ENDING)


def _only_one(lists: Sequence[Path], file_name: str) -> Path:
    found = [path for path in lists if path.name == file_name]
    if not found:
        present = ", ".join(sorted({path.name for path in lists})) or "no list at all"
        raise SettingsError(
            f"splits: there is no {file_name}, only {present}; check splits.folder, splits.name "
            "and the number of folds"
        )
    if len(found) > 1:
        raise SettingsError(
            f"splits: {file_name} exists twice, {found[0]} and {found[1]}; set splits.folder to "
            "the folder of one of them"
        )
    return found[0]


def _validated_elsewhere(lists: Sequence[Path], own: Path, name: str) -> set[str]:
    """The subjects of the validation lists of the other folds."""
    others = [path for path in lists if path.match(f"{name}_val_fold*.csv") and path != own]
    return {subject for path in others for subject in read_list(path)}
