"""Draw partitions by subject: all scans and sessions of a subject are in one partition."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from brainuad.datasets.partitions import TEST, TRAIN, VALIDATION
from brainuad.io import job
from brainuad.io.errors import SettingsError

# Columns of categories, even if their values are numbers.
CATEGORIES = ("sex", "site")
MAX_CLASSES = 10
COLUMNS = ["subject", "session", "partition"]


def split_healthy(
    subjects: pd.DataFrame,
    *,
    fold: int,
    validation: int,
    test: int,
    stratify: str | None,
    seed: int,
) -> pd.DataFrame:
    """One fold of the healthy scans: subject, session, partition (train, validation, test).

    subjects          a subject table; validation and test are drawn among the subjects that have a
                      row of status ok
    validation, test  numbers of subjects
    stratify          a column: each partition has its values in proportion. Numbers are grouped
                      into classes (see `strata_of`), and the first known value of a subject's
                      sessions counts

    The test set is the same in all folds, and the validation sets of the folds share no subject.
    All other subjects are in train, including those with one modality only (status partial). All
    usable scans of a subject are in its partition. Raises SettingsError for sizes that the subjects
    cannot fill, and for a column that is missing or empty.
    """
    # ASSUME: validation and test are drawn among the subjects with all modalities (at one of their
    # sessions), so that models of different modalities are tested on the same people; the other
    # subjects are in train.
    usable = _complete(subjects, stratify, sizes=[validation, test])
    needed = test + (fold + 1) * validation
    if needed >= len(usable):
        raise SettingsError(
            f"test {test} and {fold + 1} validation sets of {validation} need more than "
            f"{needed} subjects, so that some are left to train; {len(usable)} are usable; lower "
            "test, validation or folds"
        )
    generator = np.random.default_rng([seed, 0])
    test_set = _draw(usable, test, generator)
    rest = usable[~usable["subject"].isin(test_set)]
    for number in range(fold + 1):
        validation_set = _draw(rest, validation, np.random.default_rng([seed, 1, number]))
        rest = rest[~rest["subject"].isin(validation_set)]
    return _table(subjects, validation_set=validation_set, test_set=test_set)


def split_lesions(
    subjects: pd.DataFrame, *, validation: int, test: int | None, stratify: str | None, seed: int
) -> pd.DataFrame:
    """The scans of a lesion set: subject, session, partition (validation, test), as in every fold.

    If `test` is None, it is all subjects outside the validation set. Otherwise as `split_healthy`.
    """
    usable = _complete(subjects, stratify, sizes=[validation, test])
    if validation + (test or 1) > len(usable):
        raise SettingsError(
            f"validation {validation} and test {test or 'at least 1'} need "
            f"{validation + (test or 1)} subjects; {len(usable)} are usable; lower one of them"
        )
    validation_set = _draw(usable, validation, np.random.default_rng([seed, 1]))
    rest = usable[~usable["subject"].isin(validation_set)]
    size = len(rest) if test is None else test
    test_set = _draw(rest, size, np.random.default_rng([seed, 0]))
    table = _table(subjects, validation_set=validation_set, test_set=test_set)
    return table[table["partition"] != TRAIN].reset_index(drop=True)


def all_for_test(subjects: pd.DataFrame) -> pd.DataFrame:
    """The scans of a set without lesion masks, all in the test partition.

    Raises SettingsError if there is none.
    """
    usable = usable_subjects(subjects)
    if not usable:
        raise SettingsError("no subject is usable")
    return _table(subjects, validation_set=[], test_set=usable)


def usable_subjects(subjects: pd.DataFrame) -> list[str]:
    """The subjects of a subject table that have a usable scan (status ok or partial), sorted."""
    return list(dict.fromkeys(usable_rows(subjects)["subject"]))


def usable_rows(subjects: pd.DataFrame) -> pd.DataFrame:
    """The rows of a subject table with a usable scan (status ok or partial), by subject."""
    usable = subjects[subjects["status"].isin(["ok", "partial"])]
    return usable.astype({"subject": str}).sort_values("subject", kind="stable")


def strata_of(column: pd.Series, *, smallest_part: int) -> pd.Series:
    """The stratum of each subject, as text: a category, or a class of numbers ("20 to 34").

    Numbers are divided at their quantiles into `smallest_part` classes of about equal size, at most
    MAX_CLASSES, so that each partition can have a subject of each; equal numbers share a class.
    Unknown values are a stratum of their own, "". Sex and site are always categories.
    """
    numbers = pd.to_numeric(column, errors="coerce")
    if column.name in CATEGORIES or not numbers.notna().equals(column.notna()):
        return column.astype(object).where(column.notna(), "").astype(str)
    # ASSUME: a column of numbers (age) is stratified by as many quantiles as the smallest drawn
    # partition of more than one subject has, at most 10.
    number = max(1, min(MAX_CLASSES, smallest_part))
    fraction = (numbers.rank() - 0.5) / numbers.count()
    classes = numbers.groupby((fraction * number).floordiv(1))
    low, high = classes.transform("min"), classes.transform("max")
    names = [
        "" if pd.isna(first) else f"{first:g} to {last:g}" if first < last else f"{first:g}"
        for first, last in zip(low, high, strict=True)
    ]
    return pd.Series(names, index=column.index)


def proportional_shares(
    sizes: Sequence[int], total: int, generator: np.random.Generator
) -> list[int]:
    """Divide `total` among strata in proportion to their sizes, by the largest remainder.

    The generator chooses among equal remainders.
    """
    shares, remainders = np.divmod(total * np.asarray(sizes), sum(sizes))
    order = np.lexsort((generator.permutation(len(sizes)), -remainders))
    shares[order[: total - shares.sum()]] += 1
    return shares.tolist()


def _complete(
    subjects: pd.DataFrame, stratify: str | None, *, sizes: Sequence[int | None]
) -> pd.DataFrame:
    """Subject and stratum of the subjects with a row of status ok; the strata are logged."""
    complete = subjects[subjects["status"] == "ok"].sort_values("subject", kind="stable")
    # The first known value of each column of a subject.
    usable = complete.groupby("subject", as_index=False).first()
    stratum = pd.Series("", index=usable.index)
    if stratify is not None:
        if stratify not in usable.columns:
            raise SettingsError(
                f"there is no column {stratify!r} to stratify by; "
                f"the table has {', '.join(usable.columns)}"
            )
        if len(usable) and usable[stratify].isna().all():
            raise SettingsError(
                f"the {stratify} of none of the {len(usable)} usable subjects is known; "
                "give it in the table that demographics names, or set stratify: null"
            )
        drawn = min((size for size in sizes if size and size > 1), default=1)
        stratum = strata_of(usable[stratify], smallest_part=drawn)
        counts = stratum[usable[stratify].sort_values().index].value_counts(sort=False)
        shown = ", ".join(f"{name or 'unknown'} ({count})" for name, count in counts.items())
        job.log(f"{stratify} of the usable subjects: {shown}")
    return pd.DataFrame({"subject": usable["subject"].astype(str), "stratum": stratum})


def _draw(usable: pd.DataFrame, size: int, generator: np.random.Generator) -> list[str]:
    """Subjects drawn in proportion to their strata: the exact share of each, rounded up or down.

    Strata whose exact share is below one subject are drawn from together, one subject of each
    before a second of any: otherwise the smallest strata would never be drawn from.
    """
    if size == 0:
        return []
    sizes = usable.groupby("stratum")["stratum"].transform("size")
    small = size * sizes < len(usable)
    together = usable["stratum"].mask(small, usable["stratum"][small].min())
    shuffled = [
        group.iloc[generator.permutation(len(group))] for _, group in usable.groupby(together)
    ]
    shares = proportional_shares([len(group) for group in shuffled], size, generator)
    drawn = [
        group.assign(turn=group.groupby("stratum").cumcount())
        .sort_values("turn", kind="stable")
        .head(share)["subject"]
        for group, share in zip(shuffled, shares, strict=True)
    ]
    return pd.concat(drawn).tolist()


def _table(
    subjects: pd.DataFrame, *, validation_set: Sequence[str], test_set: Sequence[str]
) -> pd.DataFrame:
    """A row for each usable scan of a subject table; subjects in neither set are in train."""
    sides = dict.fromkeys(validation_set, VALIDATION) | dict.fromkeys(test_set, TEST)
    rows = usable_rows(subjects)
    partition = rows["subject"].map(sides).fillna(TRAIN)
    return rows.assign(partition=partition)[COLUMNS].reset_index(drop=True)
