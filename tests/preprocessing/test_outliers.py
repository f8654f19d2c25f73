import numpy as np
import pandas as pd
import pytest

from brainuad.preprocessing import outliers, quality

MEASURES = {measure.name: measure for measure in quality.MEASURES}


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("brain_ml", 5 / 1.4826, 5 / 1.4826),
        ("mutual_information", 5 / 1.4826, 0),
        ("lesion_outside", 0, 5 / 1.4826),
    ],
)
def test_robust_z_score_looks_to_the_side_of_concern(name, low, high):
    # The median is 0 and the median absolute deviation 100.
    values = [-500, -100, -100, 0, 100, 100, 500, float("nan")]
    scores = outliers.robust_z_score(values, MEASURES[name])
    assert scores[[0, 6]] == pytest.approx([low, high])
    assert scores[3] == 0
    assert np.isnan(scores[7])


def test_scans_that_are_all_alike_are_no_reason_to_look():
    alike = [0.95, 0.95, 0.95, 0.95, 0.94]
    assert outliers.robust_z_score(alike, MEASURES["overlap"])[4] == pytest.approx(1)
    assert outliers.robust_z_score([*alike[:4], 0.85], MEASURES["overlap"])[4] == pytest.approx(10)


def measured(count, **changes):
    """A table of unremarkable scans; `changes` are {measure: {place: value}}."""
    generator = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "scan": [f"s{place:02d}" for place in range(count)],
            "mutual_information": generator.uniform(0.3, 0.4, count),
            "overlap": generator.uniform(0.94, 0.96, count),
            "brain_ml": generator.uniform(1300, 1500, count),
            "intensity_range": generator.uniform(0.9, 1.1, count),
            "cut_cm2": generator.uniform(0, 4, count),
            "lesion_outside": np.nan,
        }
    )
    for name, values in changes.items():
        for place, value in values.items():
            table.loc[place, name] = value
    return table


def test_what_stands_out_comes_first_and_says_why():
    table = measured(
        20, mutual_information={7: 0.05}, overlap={7: 0.5}, brain_ml={3: 2200.0, 5: 500.0}
    )
    result = outliers.flag_outliers(table)
    assert result["flagged"].tolist() == [True] * 3 + [False] * 17
    assert result["scan"][:3].tolist() == ["s07", "s05", "s03"]
    assert result["outlier_score"].is_monotonic_decreasing
    whys = dict(zip(result["scan"], result["why"], strict=True))
    first, second = whys["s07"].split("; ")
    assert first == "overlap with the template 50.0 % is low (limit 80.0 %)"
    assert second.startswith("mutual information 0.05 is low (median 0.3")
    assert whys["s03"].startswith("brain volume 2,200 ml is high (median 1,3")
    assert whys["s05"].startswith("brain volume 500 ml is low")
    assert set(result["why"][3:]) == {""}


def test_few_scans_are_not_held_against_each_other():
    table = measured(4, brain_ml={0: 10.0})
    result = outliers.flag_outliers(table)
    assert not result["flagged"].any()
    assert result["outlier_score"].isna().all()
    assert result["scan"].tolist() == ["s00", "s01", "s02", "s03"]
    assert outliers.flag_outliers(measured(5, brain_ml={0: 10.0}))["flagged"].sum() == 1
    assert outliers.flag_outliers(measured(0))["flagged"].tolist() == []


def test_of_three_scans_the_one_with_its_lesion_outside_is_flagged():
    result = outliers.flag_outliers(measured(3, lesion_outside={0: 0.0, 1: 0.02, 2: 1.0}))
    assert result["flagged"].tolist() == [True, False, False]
    assert result["scan"].tolist() == ["s02", "s00", "s01"]
    assert result["why"][0] == "lesion outside 100.0 % is high (limit 50.0 %)"


def test_a_set_whose_registrations_all_failed_is_not_its_own_measure():
    table = measured(20)
    table["overlap"] = np.linspace(0.6, 0.79, 20)
    result = outliers.flag_outliers(table)
    assert result["flagged"].all()
    assert all(why.startswith("overlap with the template ") for why in result["why"])
    assert all(why.endswith("is low (limit 80.0 %)") for why in result["why"])
    table = measured(20)
    table["mutual_information"] = 0.02
    assert outliers.flag_outliers(table)["flagged"].all()
    # The worst in their place of the phantoms, and one at the limits themselves.
    table = measured(20).assign(mutual_information=0.077, overlap=0.92)
    assert not outliers.flag_outliers(table)["flagged"].any()
    assert not outliers.flag_outliers(measured(2).assign(overlap=0.8))["flagged"].any()


def test_a_measure_that_only_one_scan_lacks_is_a_reason_to_look():
    nan = float("nan")
    table = measured(20, intensity_range={4: nan}, brain_ml={3: 2200.0}, lesion_outside={0: 0.1})
    result = outliers.flag_outliers(table)
    assert result["scan"][:2].tolist() == ["s04", "s03"]
    assert result["flagged"].tolist() == [True, True] + [False] * 18
    assert result["why"][0] == "intensity range could not be measured"
    # What no scan has was not asked for, and a lesion is what many scans have not.
    preprocessed = measured(20).assign(mutual_information=nan, overlap=nan)
    assert not outliers.flag_outliers(preprocessed)["flagged"].any()
    assert outliers.flag_outliers(measured(2, overlap={0: nan}))["flagged"].tolist() == [
        True,
        False,
    ]


def test_a_cortical_lesion_among_deep_ones_is_usual():
    deep = dict.fromkeys(range(8), 0.0)
    shares = deep | {8: 0.15, 9: 0.4}
    result = outliers.flag_outliers(measured(10, lesion_outside=shares))
    assert result.loc[result["flagged"], "scan"].tolist() == ["s09"]
    assert result["why"][0].endswith("is high (median 0.0 %)")
