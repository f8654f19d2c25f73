import math

import numpy as np
import pandas as pd
import pytest

from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.subgroups import AGE_EDGES, classes, group_scans, summarize_groups

BOOTSTRAP = BootstrapSettings(rounds=200, confidence=0.9, seed=3)
COLUMNS = ["method", "dataset", "modality", "metric", "fold", "subject", "value"]


def patients() -> pd.DataFrame:
    """Four patients with lesions of 1, 5, 20 and 60 ml, and Dice .1, .2, .4 and .8 by method b."""
    rows = []
    for fold in (0, 1):
        for number, (volume, dice) in enumerate([(1, 0.1), (5, 0.2), (20, 0.4), (60, 0.8)]):
            for method, factor in (("b", 1.0), ("a", 0.5)):
                place = (method, "wmh", "t1")
                rows.append((*place, "dice", fold, f"s{number}", factor * dice + 0.02 * fold))
                rows.append((*place, "lesion_volume_ml", fold, f"s{number}", volume))
    return pd.DataFrame(rows, columns=COLUMNS).assign(session="")


def people() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dataset": "wmh",
            "session": "",
            "subject": ["s0", "s1", "s2", "s3", "never scored"],
            "age": [80.0, 40.0, 39.9, math.nan, 50.0],
            "sex": ["m", "f", "m", None, "f"],
            "site": ["Utrecht", "Amsterdam", "Utrecht", "Amsterdam", "Singapore"],
        }
    )


def test_classes_by_hand():
    ages = pd.Series([39.99, 40, 59, 60, 90, np.nan])
    labels = list(classes(ages, AGE_EDGES, "years"))
    young, middle, old = "< 40 years", "40 to 60 years", "\u2265 60 years"
    assert labels[:5] == [young, middle, middle, old, old]
    assert pd.isna(labels[5])


def test_groups_by_hand():
    groups = group_scans(people(), patients())
    by_grouping = {
        grouping: list(zip(rows["subject"], rows["group"], strict=True))
        for grouping, rows in groups.groupby("grouping", sort=False)
    }
    assert list(by_grouping) == ["lesion volume", "age", "sex", "site"]
    assert by_grouping["lesion volume"] == [
        ("s0", "< 5 ml"),
        ("s1", "5 to 15 ml"),
        ("s2", "15 to 50 ml"),
        ("s3", "\u2265 50 ml"),
    ]
    # The youngest first; an unknown age is in no class.
    assert [subject for subject, _ in by_grouping["age"]] == ["s2", "s1", "never scored", "s0"]
    assert dict(by_grouping["sex"]) == {"s0": "m", "s1": "f", "s2": "m", "never scored": "f"}


def test_sites_that_are_numbers_are_names():
    numbered = people().assign(site=[1, 2, math.nan, 1, 2])
    groups = group_scans(numbered, patients())
    sites = groups[groups["grouping"] == "site"]
    assert dict(zip(sites["subject"], sites["group"], strict=True)) == {
        "s0": "1",
        "s1": "2",
        "s3": "1",
        "never scored": "2",
    }


def test_summary_by_hand():
    scores = patients()
    table = summarize_groups(
        scores, group_scans(people(), scores), metrics=["dice"], bootstrap=BOOTSTRAP
    )
    assert table["method"].drop_duplicates().tolist() == ["b", "a"]
    rows = table.set_index(["method", "grouping", "group"])
    # s0 and s2, Dice .1 and .4, .02 more in the second fold.
    utrecht = rows.loc[("b", "site", "Utrecht")]
    assert utrecht["mean"] == pytest.approx(0.26)
    assert utrecht["sd"] == pytest.approx(0.02 / math.sqrt(2))
    assert (utrecht["subjects"], utrecht["folds"]) == (2, 2)
    assert (utrecht["ci_low"], utrecht["ci_high"]) == (pytest.approx(0.11), pytest.approx(0.41))
    large = rows.loc[("a", "lesion volume", "\u2265 50 ml")]
    assert large["mean"] == pytest.approx(0.41) and math.isnan(large["ci_low"])
    assert "Singapore" not in set(table["group"])
    sizes = table[(table["method"] == "b") & (table["grouping"] == "lesion volume")]["group"]
    assert sizes.tolist() == ["< 5 ml", "5 to 15 ml", "15 to 50 ml", "\u2265 50 ml"]


def test_the_same_name_in_two_data_sets_is_two_subjects():
    other = patients().assign(dataset="atlas")
    scores = pd.concat([patients(), other])
    table = summarize_groups(
        scores, group_scans(people(), scores), metrics=["dice"], bootstrap=BOOTSTRAP
    )
    sites = table[table["grouping"] == "site"]
    assert set(sites["dataset"]) == {"wmh"}
    assert table[table["grouping"] == "lesion volume"]["subjects"].tolist() == [1] * 16


def test_nothing_known_gives_no_rows():
    nobody = people().assign(age=math.nan, sex=None, site=None)
    healthy = patients().query("metric == 'dice'")
    groups = group_scans(nobody, healthy)
    assert groups.empty
    table = summarize_groups(healthy, groups, metrics=["dice"], bootstrap=BOOTSTRAP)
    assert table.empty and "mean" in table
