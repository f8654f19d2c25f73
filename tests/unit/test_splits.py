"""No subject on two sides; the same test set in all folds; shares of the strata kept."""

import pandas as pd
import pytest

from brainuad.errors import SettingsError
from brainuad.splits import (
    all_for_test,
    proportional_shares,
    split_healthy,
    split_lesions,
    subjects_of,
)

PARTITIONS = ("train", "validation", "test")


def subject_table(count, *, sites=("A",), left_out=(), partial=()):
    status = dict.fromkeys(left_out, "left_out") | dict.fromkeys(partial, "partial")
    return pd.DataFrame(
        {
            "subject": [f"s{row:04d}" for row in range(count)],
            "site": [sites[row % len(sites)] for row in range(count)],
            "status": [status.get(row, "ok") for row in range(count)],
        }
    )


def healthy_folds(table, *, folds=5, validation=44, test=158, stratify=None, seed=3):
    return [
        split_healthy(
            table,
            fold=fold,
            validation=validation,
            test=test,
            stratify=stratify,
            seed=seed,
        )
        for fold in range(folds)
    ]


def test_no_subject_is_on_two_sides_and_all_folds_share_the_test_set():
    table = subject_table(563, sites=("Guys", "HH", "IOP"), left_out={7, 9, 300})
    folds = healthy_folds(table)
    for split in folds:
        sides = [set(subjects_of(split, partition)) for partition in PARTITIONS]
        # The paper's sizes: 358 train, 44 validation, 158 test.
        assert [len(side) for side in sides] == [358, 44, 158]
        assert len(set.union(*sides)) == 560, "each usable subject stands on just one side"
        assert split["subject"].is_unique
        assert not {"s0007", "s0009", "s0300"} & set(split["subject"])
    assert len({tuple(subjects_of(split, "test")) for split in folds}) == 1
    validation = [subject for split in folds for subject in subjects_of(split, "validation")]
    assert len(validation) == len(set(validation)) == 5 * 44


def test_split_depends_on_the_seed_alone_not_on_the_order_of_rows():
    table = subject_table(60)
    one = healthy_folds(table, validation=5, test=10)
    shuffled = healthy_folds(table.sample(frac=1, random_state=1), validation=5, test=10)
    for first, second in zip(one, shuffled, strict=True):
        pd.testing.assert_frame_equal(first, second)
    other = healthy_folds(table, validation=5, test=10, seed=4)
    assert subjects_of(one[0], "test") != subjects_of(other[0], "test")
    assert subjects_of(one[0], "test") != sorted(table["subject"])[:10], "drawn, not the first"


def test_lesion_sets_have_validation_and_test_in_proportion_to_the_sites():
    sites = ["Utrecht"] * 20 + ["Singapore"] * 20 + ["Amsterdam"] * 20
    table = subject_table(60).assign(site=sites)
    split = split_lesions(table, validation=15, test=None, stratify="site", seed=0)
    assert set(split["partition"]) == {"validation", "test"}
    assert split["subject"].is_unique
    assert len(split) == 60
    site = table.set_index("subject")["site"]
    counts = site[subjects_of(split, "validation")].value_counts().to_dict()
    assert counts == {"Utrecht": 5, "Singapore": 5, "Amsterdam": 5}


def test_strata_in_healthy_splits():
    table = subject_table(100).assign(site=["A"] * 70 + ["B"] * 20 + ["C"] * 10)
    split = healthy_folds(table, folds=2, validation=10, test=30, stratify="site")[1]
    site = table.set_index("subject")["site"]
    for partition, expected in (("test", (21, 6, 3)), ("validation", (7, 2, 1))):
        counts = site[subjects_of(split, partition)].value_counts()
        assert tuple(counts[["A", "B", "C"]]) == expected


def test_subjects_with_one_modality_train_and_are_drawn_for_nothing_else():
    partial = range(0, 40, 2)
    table = subject_table(40, partial=partial)
    folds = healthy_folds(table, folds=3, validation=4, test=6)
    for split in folds:
        assert {f"s{row:04d}" for row in partial} <= set(subjects_of(split, "train"))
        assert [len(subjects_of(split, partition)) for partition in PARTITIONS] == [30, 4, 6]
        assert split["subject"].tolist() == table["subject"].tolist()
    # The others are split as if those with one modality were not there.
    alone = healthy_folds(table[table["status"] == "ok"], folds=3, validation=4, test=6)
    for split, without in zip(folds, alone, strict=True):
        assert subjects_of(split, "test") == subjects_of(without, "test")
        assert subjects_of(split, "validation") == subjects_of(without, "validation")


def test_patients_with_one_modality_take_no_part_where_lesions_are_scored():
    split = split_lesions(
        subject_table(9, partial={0, 8}), validation=2, test=None, stratify=None, seed=0
    )
    assert len(split) == 7
    assert not {"s0000", "s0008"} & set(split["subject"])


def test_sets_without_lesion_masks_are_all_for_test():
    split = all_for_test(subject_table(5, partial={1}, left_out={3}))
    assert split["subject"].tolist() == ["s0000", "s0001", "s0002", "s0004"]
    assert set(split["partition"]) == {"test"}
    with pytest.raises(SettingsError, match="no subject is usable"):
        all_for_test(subject_table(2, left_out={0, 1}))


def test_a_missing_stratum_is_one_of_its_own():
    table = subject_table(20).assign(site=["A"] * 10 + [None] * 10)
    split = split_lesions(table, validation=4, test=None, stratify="site", seed=0)
    assert sum(subject < "s0010" for subject in subjects_of(split, "validation")) == 2


def test_fixed_test_size_leaves_the_others_out():
    split = split_lesions(subject_table(30), validation=5, test=10, stratify=None, seed=0)
    assert len(subjects_of(split, "validation")) == 5
    assert len(subjects_of(split, "test")) == 10
    assert subjects_of(split, "train") == []
    assert len(split) == 15


@pytest.mark.parametrize(
    ("sizes", "total", "expected"),
    [
        # exact shares 4.67, 2.33, 3: the largest remainder gets the one that is left
        ([14, 7, 9], 10, [5, 2, 3]),
        ([1, 1, 1], 2, [1, 1, 0]),
        ([10, 0], 4, [4, 0]),
        ([3, 3], 6, [3, 3]),
    ],
)
def test_largest_remainder(sizes, total, expected):
    assert proportional_shares(sizes, total) == expected


def test_sizes_that_do_not_fit_are_refused():
    table = subject_table(20)
    with pytest.raises(SettingsError, match=r"more than 20 subjects.*20 are usable"):
        healthy_folds(table, folds=2, validation=5, test=10)
    with pytest.raises(SettingsError, match="20 are usable"):
        split_lesions(table, validation=20, test=None, stratify=None, seed=0)
    with pytest.raises(SettingsError, match="no column 'city'"):
        split_lesions(table, validation=5, test=None, stratify="city", seed=0)
    with pytest.raises(ValueError, match="partition 'val'"):
        subjects_of(healthy_folds(table, folds=1, validation=5, test=5)[0], "val")
