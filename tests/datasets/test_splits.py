"""No subject on two sides; the same test set in all folds; shares of the strata kept."""

import numpy as np
import pandas as pd
import pytest

from brainuad.datasets.partitions import scans_of as scans_of_rows
from brainuad.datasets.splits import (
    all_for_test,
    proportional_shares,
    split_healthy,
    split_lesions,
    strata_of,
)
from brainuad.io.errors import SettingsError

PARTITIONS = ("train", "validation", "test")


def scans_of(split, partition):
    return scans_of_rows(split.to_dict("records"), partition)


def subject_table(count, *, sites=("A",), left_out=(), partial=()):
    status = dict.fromkeys(left_out, "left_out") | dict.fromkeys(partial, "partial")
    return pd.DataFrame(
        {
            "subject": [f"s{row:04d}" for row in range(count)],
            "session": "",
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
        sides = [set(scans_of(split, partition)) for partition in PARTITIONS]
        # The paper's sizes: 358 train, 44 validation, 158 test.
        assert [len(side) for side in sides] == [358, 44, 158]
        assert len(set.union(*sides)) == 560, "each usable subject stands on just one side"
        assert split["subject"].is_unique
        assert not {"s0007", "s0009", "s0300"} & set(split["subject"])
    assert len({tuple(scans_of(split, "test")) for split in folds}) == 1
    validation = [subject for split in folds for subject in scans_of(split, "validation")]
    assert len(validation) == len(set(validation)) == 5 * 44


def test_split_depends_on_the_seed_alone_not_on_the_order_of_rows():
    table = subject_table(60)
    one = healthy_folds(table, validation=5, test=10)
    shuffled = healthy_folds(table.sample(frac=1, random_state=1), validation=5, test=10)
    for first, second in zip(one, shuffled, strict=True):
        pd.testing.assert_frame_equal(first, second)
    other = healthy_folds(table, validation=5, test=10, seed=4)
    assert scans_of(one[0], "test") != scans_of(other[0], "test")
    assert scans_of(one[0], "test") != sorted(table["subject"])[:10], "drawn, not the first"


def test_lesion_sets_have_validation_and_test_in_proportion_to_the_sites():
    sites = ["Utrecht"] * 20 + ["Singapore"] * 20 + ["Amsterdam"] * 20
    table = subject_table(60).assign(site=sites)
    split = split_lesions(table, validation=15, test=None, stratify="site", seed=0)
    assert set(split["partition"]) == {"validation", "test"}
    assert split["subject"].is_unique
    assert len(split) == 60
    site = table.set_index("subject")["site"]
    counts = site[scans_of(split, "validation")].value_counts().to_dict()
    assert counts == {"Utrecht": 5, "Singapore": 5, "Amsterdam": 5}


def test_strata_in_healthy_splits():
    table = subject_table(100).assign(site=["A"] * 70 + ["B"] * 20 + ["C"] * 10)
    split = healthy_folds(table, folds=2, validation=10, test=30, stratify="site")[1]
    site = table.set_index("subject")["site"]
    for partition, expected in (("test", (21, 6, 3)), ("validation", (7, 2, 1))):
        counts = site[scans_of(split, partition)].value_counts()
        assert tuple(counts[["A", "B", "C"]]) == expected


def test_subjects_with_one_modality_train_and_are_drawn_for_nothing_else():
    partial = range(0, 40, 2)
    table = subject_table(40, partial=partial)
    folds = healthy_folds(table, folds=3, validation=4, test=6)
    for split in folds:
        assert {f"s{row:04d}" for row in partial} <= set(scans_of(split, "train"))
        assert [len(scans_of(split, partition)) for partition in PARTITIONS] == [30, 4, 6]
        assert split["subject"].tolist() == table["subject"].tolist()
    # The others are split as if those with one modality were not there.
    alone = healthy_folds(table[table["status"] == "ok"], folds=3, validation=4, test=6)
    for split, without in zip(folds, alone, strict=True):
        assert scans_of(split, "test") == scans_of(without, "test")
        assert scans_of(split, "validation") == scans_of(without, "validation")


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
    assert sum(subject < "s0010" for subject in scans_of(split, "validation")) == 2


def test_fixed_test_size_leaves_the_others_out():
    split = split_lesions(subject_table(30), validation=5, test=10, stratify=None, seed=0)
    assert len(scans_of(split, "validation")) == 5
    assert len(scans_of(split, "test")) == 10
    assert scans_of(split, "train") == []
    assert len(split) == 15


def drawn(table, column, *, seeds=50, validation=3, test=4):
    """What the partitions hold of a column, seed by seed, in the second fold."""
    values = table.set_index("subject")[column]
    sizes = {"validation": validation, "test": test}
    for seed in range(seeds):
        split = split_healthy(table, fold=1, stratify=column, seed=seed, **sizes)
        yield {partition: values[scans_of(split, partition)] for partition in PARTITIONS}


def test_each_partition_spans_the_whole_range_of_ages():
    # 31 ages of 20 to 80, in no order: thirds are those below 40, from 40 to 60, and above.
    ages = [20 + 2 * (7 * row % 31) for row in range(31)]
    table = subject_table(31).assign(age=ages)
    for partitions in drawn(table, "age"):
        for found in partitions.values():
            assert found.min() < 40 and found.between(40, 60).any() and found.max() > 60
    # One subject has no range, and does not keep the other partitions from theirs.
    for partitions in drawn(table, "age", validation=1, test=6):
        found = partitions["test"]
        assert found.min() < 40 and found.between(40, 60).any() and found.max() > 60
    as_text = table.assign(age=[f"{age}.0" for age in ages])
    for one, other in zip(drawn(table, "age"), drawn(as_text, "age"), strict=True):
        assert one["test"].index.equals(other["test"].index)


def test_classes_of_numbers(capsys):
    ages = [np.nan, 31, 25, 60.5, 25, 47, np.nan, 52]
    strata = strata_of(pd.Series(ages, name="age"), smallest_part=3)
    # Six known ages in three classes of two.
    classes = ["25", "31 to 47", "52 to 60.5"]
    assert strata.tolist() == ["", *(classes[c] for c in (1, 0, 2, 0, 1)), "", classes[2]]
    # Ten classes at most, and equal numbers share one.
    assert strata_of(pd.Series(range(100)), smallest_part=44).value_counts().tolist() == [10] * 10
    assert strata_of(pd.Series([60] * 9 + [20]), smallest_part=5).nunique() == 2
    assert strata_of(pd.Series([60, 60]), smallest_part=5).tolist() == ["60", "60"]
    # Sites may be called 1, 2, ...; they are no quantity.
    sites = pd.Series([1, 2, 11, np.nan], name="site")
    assert strata_of(sites, smallest_part=2).tolist() == ["1.0", "2.0", "11.0", ""]
    table = subject_table(8).assign(age=ages)
    split_healthy(table, fold=0, validation=2, test=3, stratify="age", seed=0)
    assert (
        "age of the usable subjects: 25 to 31 (3), 47 to 60.5 (3), unknown (2)"
        in capsys.readouterr().out
    )


def test_unknown_ages_are_drawn_in_proportion():
    table = subject_table(40).assign(age=[*range(20, 50), *[np.nan] * 10])
    for partitions in drawn(table, "age", test=12, validation=4):
        assert partitions["test"].isna().sum() == 3


@pytest.mark.parametrize("sizes", [[1] * 30, [3] * 6 + [2] * 6, [20, *[1] * 10]])
def test_everybody_of_many_small_strata_can_be_drawn(sizes):
    sites = [f"site{number:02d}" for number, size in enumerate(sizes) for _ in range(size)]
    table = subject_table(30).assign(site=sites)
    tested, validated = set(), set()
    for partitions in drawn(table, "site", seeds=100, validation=4, test=6):
        tested |= set(partitions["test"].index)
        validated |= set(partitions["validation"].index)
        # 6 of 30: the exact share of a site, a fifth of it, is rounded up or down.
        counts = partitions["test"].value_counts().reindex(sorted(set(sites)), fill_value=0)
        assert ((counts - np.array(sizes) / 5).abs() < 1).all()
    assert len(tested) == len(validated) == 30


@pytest.mark.parametrize(
    ("sizes", "total", "expected"),
    [
        # exact shares 4.67, 2.33, 3: the largest remainder gets the one that is left
        ([14, 7, 9], 10, {(5, 2, 3)}),
        ([1, 1, 1], 2, {(1, 1, 0), (1, 0, 1), (0, 1, 1)}),
        ([10, 0], 4, {(4, 0)}),
        ([3, 3], 6, {(3, 3)}),
    ],
)
def test_largest_remainder(sizes, total, expected):
    generator = np.random.default_rng(0)
    assert {tuple(proportional_shares(sizes, total, generator)) for _ in range(30)} == expected


def test_sizes_that_do_not_fit_are_refused():
    table = subject_table(20)
    with pytest.raises(SettingsError, match=r"more than 20 subjects.*20 are usable"):
        healthy_folds(table, folds=2, validation=5, test=10)
    with pytest.raises(SettingsError, match="20 are usable"):
        split_lesions(table, validation=20, test=None, stratify=None, seed=0)
    with pytest.raises(SettingsError, match="no column 'city'"):
        split_lesions(table, validation=5, test=None, stratify="city", seed=0)
    with pytest.raises(SettingsError, match="the age of none of the 20 usable subjects is known"):
        split_lesions(table.assign(age=np.nan), validation=5, test=None, stratify="age", seed=0)
    with pytest.raises(ValueError, match="partition 'val'"):
        scans_of(healthy_folds(table, folds=1, validation=5, test=5)[0], "val")
