import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import normalized_mutual_info_score

from brainuad.preprocessing import quality

MEASURES = {measure.name: measure for measure in quality.MEASURES}


def test_mutual_information_is_that_of_scikit_learn():
    generator = np.random.default_rng(0)
    first = generator.normal(100, 20, 5000)
    second = -3 * first + generator.normal(0, 60, 5000)
    levels = [
        np.clip(np.floor(32 * (x - np.percentile(x, 1)) / np.ptp(np.percentile(x, (1, 99)))), 0, 31)
        for x in (first, second)
    ]
    expected = normalized_mutual_info_score(*[level.astype(int) for level in levels])
    assert quality.mutual_information(first, second) == pytest.approx(expected, abs=1e-9)


def test_mutual_information_knows_likeness_whatever_the_contrast():
    generator = np.random.default_rng(1)
    values = generator.random(20000)
    # A monotonous map keeps almost all, an independent image tells nothing.
    assert quality.mutual_information(values, 1 - values) == pytest.approx(1, abs=0.01)
    assert quality.mutual_information(values, generator.random(20000)) < 0.02
    assert np.isnan(quality.mutual_information(values, np.ones(20000)))
    assert np.isnan(quality.mutual_information(values[:0], values[:0]))


def test_smoothing_is_in_millimetres():
    point = np.zeros((41, 41, 41), np.float32)
    point[20, 20, 20] = 1
    coarse = quality.smoothed(point, np.array([2.0, 2.0, 2.0]))
    fine = quality.smoothed(point, np.array([1.0, 1.0, 1.0]))
    assert coarse[21, 20, 20] / coarse[20, 20, 20] == pytest.approx(np.exp(-0.5), rel=1e-3)
    assert fine[22, 20, 20] / fine[20, 20, 20] == pytest.approx(np.exp(-0.5), rel=1e-3)


def test_intensity_range_by_hand():
    # 101 values from 0 to 100: the percentiles are 1, 50 and 99.
    assert quality.intensity_range(np.arange(101.0)) == pytest.approx(98 / 50)
    assert quality.intensity_range(np.full(9, 7.0)) == 0
    assert np.isnan(quality.intensity_range(np.zeros(9)))
    assert np.isnan(quality.intensity_range(np.zeros(0)))


def test_lesion_outside_counts_scored_lesion_alone():
    brain = np.array([True, True, False, False])
    assert quality.lesion_outside(np.array([1, 1, 1, 0]), brain) == pytest.approx(1 / 3)
    assert quality.lesion_outside(np.array([1, 0, 2, 2]), brain) == 0
    assert np.isnan(quality.lesion_outside(np.array([2, 0, 0, 0]), brain))


def test_overlap_is_dice():
    brain = np.zeros((4, 4, 4), bool)
    brain[:2] = True
    assert quality.overlap(brain, np.roll(brain, 1, axis=0)) == 0.5
    assert np.isnan(quality.overlap(brain & False, brain & False))


def test_atlas_edges_are_the_brain_and_the_ventricles_deep_in_it():
    offsets = np.indices((60, 60, 60)) - 29.5
    radius = 2 * np.sqrt((offsets**2).sum(axis=0))
    atlas = np.where(radius < 50, 1.0, 0.0)
    atlas[radius < 14] = 0.2
    # A dark spot just under the surface is a sulcus, not a ventricle.
    atlas[28:31, 28:31, 7:10] = 0.2
    brain, ventricles = quality.atlas_edges(atlas, np.array([2.0, 2.0, 2.0]))
    assert brain.sum() * 8 == pytest.approx(4 / 3 * np.pi * 50**3, rel=0.05)
    assert brain[29, 29, 29]
    assert ventricles[29, 29, 29]
    assert not ventricles[radius > 18].any()


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("brain_ml", 5 / 1.4826, 5 / 1.4826),
        ("mutual_information", 5 / 1.4826, 0),
        ("lesion_outside", 0, 5 / 1.4826),
    ],
)
def test_strangeness_looks_to_the_side_of_concern(name, low, high):
    # The median is 0 and the median absolute deviation 100.
    values = [-500, -100, -100, 0, 100, 100, 500, float("nan")]
    scores = quality.strangeness(values, MEASURES[name])
    assert scores[[0, 6]] == pytest.approx([low, high])
    assert scores[3] == 0
    assert np.isnan(scores[7])


def test_scans_that_are_all_alike_are_no_reason_to_look():
    alike = [0.95, 0.95, 0.95, 0.95, 0.94]
    assert quality.strangeness(alike, MEASURES["overlap"])[4] == pytest.approx(1)
    assert quality.strangeness([*alike[:4], 0.85], MEASURES["overlap"])[4] == pytest.approx(10)


def measured(count, **changes):
    """A table of unremarkable scans; `changes` are {measure: {place: value}}."""
    generator = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "subject": [f"s{place:02d}" for place in range(count)],
            "mutual_information": generator.uniform(0.3, 0.4, count),
            "overlap": generator.uniform(0.94, 0.96, count),
            "brain_ml": generator.uniform(1300, 1500, count),
            "intensity_range": generator.uniform(0.9, 1.1, count),
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
    result = quality.judged(table)
    assert result["marked"].tolist() == [True] * 3 + [False] * 17
    assert result["subject"][:3].tolist() == ["s07", "s05", "s03"]
    assert result["doubt"].is_monotonic_decreasing
    whys = dict(zip(result["subject"], result["why"], strict=True))
    first, second = whys["s07"].split("; ")
    assert first == "overlap with the atlas 50.0 % is low (limit 80.0 %)"
    assert second.startswith("mutual information 0.05 is low (median 0.3")
    assert whys["s03"].startswith("brain volume 2,200 ml is high (median 1,3")
    assert whys["s05"].startswith("brain volume 500 ml is low")
    assert set(result["why"][3:]) == {""}


def test_few_scans_are_not_held_against_each_other():
    table = measured(4, brain_ml={0: 10.0})
    result = quality.judged(table)
    assert not result["marked"].any()
    assert result["doubt"].isna().all()
    assert result["subject"].tolist() == ["s00", "s01", "s02", "s03"]
    assert quality.judged(measured(5, brain_ml={0: 10.0}))["marked"].sum() == 1
    assert quality.judged(measured(0))["marked"].tolist() == []


def test_of_three_scans_the_one_with_its_lesion_outside_is_marked():
    result = quality.judged(measured(3, lesion_outside={0: 0.0, 1: 0.02, 2: 1.0}))
    assert result["marked"].tolist() == [True, False, False]
    assert result["subject"].tolist() == ["s02", "s00", "s01"]
    assert result["why"][0] == "lesion outside 100.0 % is high (limit 50.0 %)"


def test_a_set_whose_registrations_all_failed_is_not_its_own_measure():
    table = measured(20)
    table["overlap"] = np.linspace(0.6, 0.79, 20)
    result = quality.judged(table)
    assert result["marked"].all()
    assert all(why.startswith("overlap with the atlas ") for why in result["why"])
    assert all(why.endswith("is low (limit 80.0 %)") for why in result["why"])
    table = measured(20)
    table["mutual_information"] = 0.02
    assert quality.judged(table)["marked"].all()
    # The worst in their place of the phantoms, and one at the limits themselves.
    table = measured(20).assign(mutual_information=0.077, overlap=0.92)
    assert not quality.judged(table)["marked"].any()
    assert not quality.judged(measured(2).assign(overlap=0.8))["marked"].any()


def test_a_measure_that_only_one_scan_lacks_is_a_reason_to_look():
    nan = float("nan")
    table = measured(20, intensity_range={4: nan}, brain_ml={3: 2200.0}, lesion_outside={0: 0.1})
    result = quality.judged(table)
    assert result["subject"][:2].tolist() == ["s04", "s03"]
    assert result["marked"].tolist() == [True, True] + [False] * 18
    assert result["why"][0] == "intensity range could not be measured"
    # What no scan has was not asked for, and a lesion is what many scans have not.
    preprocessed = measured(20).assign(mutual_information=nan, overlap=nan)
    assert not quality.judged(preprocessed)["marked"].any()
    assert quality.judged(measured(2, overlap={0: nan}))["marked"].tolist() == [True, False]


def test_a_cortical_lesion_among_deep_ones_is_usual():
    deep = dict.fromkeys(range(8), 0.0)
    shares = deep | {8: 0.15, 9: 0.4}
    result = quality.judged(measured(10, lesion_outside=shares))
    assert result.loc[result["marked"], "subject"].tolist() == ["s09"]
    assert result["why"][0].endswith("is high (median 0.0 %)")
