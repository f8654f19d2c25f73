"""Partitions by subject: no subject ever stands on two sides."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from brainuad.errors import SettingsError

TRAIN, VALIDATION, TEST = "train", "validation", "test"


def split_healthy(
    subjects: pd.DataFrame,
    *,
    fold: int,
    validation: int,
    test: int,
    stratify: str | None,
    seed: int,
) -> pd.DataFrame:
    """One fold of the healthy subjects: subject, partition (train, validation, test).

    subjects: a subject table; validation and test are drawn from the rows with status ok. The test
    set is the same in all folds, the validation sets of the folds share no subject, the rest
    trains, and so do the subjects with one modality only (status partial). `stratify` names a
    column in whose values each partition is drawn in proportion. Raises SettingsError for sizes
    that the subjects cannot fill.
    """
    # ASSUME: validation and test are drawn among the subjects with every modality, so that models
    # of different modalities are judged on the same people; the other subjects train.
    usable = _complete(subjects, stratify)
    needed = test + (fold + 1) * validation
    if needed >= len(usable):
        raise SettingsError(
            f"split: test {test} and {fold + 1} folds with validation {validation} need more than "
            f"{needed} subjects, so that some are left to train; {len(usable)} are usable"
        )
    generator = np.random.default_rng([seed, 0])
    test_set = _draw(usable, test, generator)
    rest = usable[~usable["subject"].isin(test_set)]
    for number in range(fold + 1):
        validation_set = _draw(rest, validation, np.random.default_rng([seed, 1, number]))
        rest = rest[~rest["subject"].isin(validation_set)]
    return _table(usable_subjects(subjects), validation_set=validation_set, test_set=test_set)


def split_lesions(
    subjects: pd.DataFrame, *, validation: int, test: int | None, stratify: str | None, seed: int
) -> pd.DataFrame:
    """The subjects of a lesion set: subject, partition (validation, test); the same in every fold.

    `test` None takes all that are not in the validation set. Otherwise as `split_healthy`.
    """
    usable = _complete(subjects, stratify)
    if validation + (test or 1) > len(usable):
        raise SettingsError(
            f"split: validation {validation} and test {test or 'at least 1'} need "
            f"{validation + (test or 1)} subjects; {len(usable)} are usable"
        )
    validation_set = _draw(usable, validation, np.random.default_rng([seed, 1]))
    rest = usable[~usable["subject"].isin(validation_set)]
    size = len(rest) if test is None else test
    test_set = _draw(rest, size, np.random.default_rng([seed, 0]))
    everyone = usable["subject"].tolist()
    table = _table(everyone, validation_set=validation_set, test_set=test_set)
    return table[table["partition"] != TRAIN].reset_index(drop=True)


def all_for_test(subjects: pd.DataFrame) -> pd.DataFrame:
    """The subjects of a set without lesion masks: all in the test partition, nothing to fit on.

    Raises SettingsError if there is none.
    """
    usable = usable_subjects(subjects)
    if not usable:
        raise SettingsError("split: no subject is usable")
    return _table(usable, validation_set=[], test_set=usable)


def usable_subjects(subjects: pd.DataFrame) -> list[str]:
    """The subjects of a subject table that have a usable scan (status ok or partial), sorted."""
    usable = subjects.loc[subjects["status"].isin(["ok", "partial"]), "subject"]
    return sorted(usable.astype(str))


def subjects_of(split: pd.DataFrame, partition: str) -> list[str]:
    """The subjects of a partition, in the order of the table."""
    if partition not in (TRAIN, VALIDATION, TEST):
        raise ValueError(f"partition {partition!r} is not one of {TRAIN}, {VALIDATION}, {TEST}")
    return split.loc[split["partition"] == partition, "subject"].astype(str).tolist()


def proportional_shares(sizes: Sequence[int], total: int) -> list[int]:
    """Share `total` among strata in proportion to their sizes, by the largest remainder.

    Of equal remainders the earlier stratum takes the place, so the shares depend on nothing else.
    """
    exact = [total * size / sum(sizes) for size in sizes]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(sizes)), key=lambda row: (shares[row] - exact[row], row))
    for row in by_remainder[: total - sum(shares)]:
        shares[row] += 1
    return shares


def _complete(subjects: pd.DataFrame, stratify: str | None) -> pd.DataFrame:
    """Subject and stratum of the rows with status ok."""
    usable = subjects[subjects["status"] == "ok"].sort_values("subject")
    stratum = pd.Series("", index=usable.index)
    if stratify is not None:
        if stratify not in usable.columns:
            raise SettingsError(
                f"split: there is no column {stratify!r} to stratify by; "
                f"the table has {', '.join(usable.columns)}"
            )
        stratum = usable[stratify].astype(object).where(usable[stratify].notna(), "").astype(str)
    return pd.DataFrame({"subject": usable["subject"].astype(str), "stratum": stratum})


def _draw(usable: pd.DataFrame, size: int, generator: np.random.Generator) -> list[str]:
    if size == 0:
        return []
    strata = [group["subject"].to_numpy() for _, group in usable.groupby("stratum", sort=True)]
    shares = proportional_shares([len(stratum) for stratum in strata], size)
    drawn = [
        generator.permutation(stratum)[:share]
        for stratum, share in zip(strata, shares, strict=True)
    ]
    return np.concatenate(drawn).tolist()


def _table(
    subjects: Sequence[str], *, validation_set: Sequence[str], test_set: Sequence[str]
) -> pd.DataFrame:
    sides = dict.fromkeys(validation_set, VALIDATION) | dict.fromkeys(test_set, TEST)
    partitions = [sides.get(subject, TRAIN) for subject in subjects]
    return pd.DataFrame({"subject": list(subjects), "partition": partitions})
