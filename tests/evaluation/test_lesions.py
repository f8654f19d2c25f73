"""Lesions against a reference that knows neither labels nor arrays, and against SimpleITK."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from small_scores import BOOTSTRAP

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.evaluation.lesion_summaries import summarize_lesions
from brainuad.evaluation.lesions import (
    FACTORS,
    froc_counts,
    lesion_rows,
    lesion_scores,
    lesions_of,
    match_lesions,
)

NEIGHBOURS = [step for step in product((-1, 0, 1), repeat=3) if any(step)]
ALL_KEPT = PostprocessingSettings(
    order=(), erosion_iterations=0, median_size=1, minimum_component=1
)


def row(*values):
    """A volume that is a row of voxels."""
    return np.array(values, np.uint8)[None, None]


def matched(prediction, lesions):
    return match_lesions(prediction.astype(bool), lesions_of(lesions))


def flooded(mask):
    """The components of a mask as sets of places, by flooding."""
    left, components = set(map(tuple, np.argwhere(mask).tolist())), []
    while left:
        component, waiting = set(), [left.pop()]
        while waiting:
            place = waiting.pop()
            component.add(place)
            for step in NEIGHBOURS:
                beside = tuple(map(sum, zip(place, step, strict=True)))
                if beside in left:
                    left.remove(beside)
                    waiting.append(beside)
        components.append(component)
    return components


def found_naively(prediction, mask):
    """(size, covered, detected) of each lesion, sorted, and true and false components."""
    lesions, components = flooded(mask == 1), flooded(prediction)
    ignored = set(map(tuple, np.argwhere(mask == 2).tolist()))
    on_lesions = {place for lesion in lesions for place in lesion}
    true, false = [], []
    for component in components:
        scored = component - ignored
        if scored and 10 * len(scored & on_lesions) >= len(scored):
            true.append(component)
        elif len(scored) > len(component & ignored):
            false.append(component)
    rows = [
        (
            len(lesion),
            sum(len(lesion & component) for component in components),
            10 * sum(len(lesion & component) for component in true) >= len(lesion),
        )
        for lesion in lesions
    ]
    return sorted(rows), len(true), len(false)


def random_case(seed):
    """Lesions and ignored voxels among many components that overlap them more or less."""
    generator = np.random.default_rng(seed)
    shape = (6, 13, 12)
    mask = np.zeros(shape, np.uint8)
    prediction = generator.random(shape) < 0.03
    for label in (2, 1, 1, 1, 1):
        corner = [generator.integers(0, size - 2) for size in shape]
        edges = generator.integers(1, 7, 3)
        mask[
            tuple(slice(start, start + edge) for start, edge in zip(corner, edges, strict=True))
        ] = label
    for _ in range(4):
        corner = [generator.integers(0, size - 2) for size in shape]
        edges = generator.integers(1, 6, 3)
        prediction[
            tuple(slice(start, start + edge) for start, edge in zip(corner, edges, strict=True))
        ] = True
    return prediction, mask


@pytest.mark.parametrize("seed", range(40))
def test_matches_as_flooding_finds_them(seed):
    prediction, mask = random_case(seed)
    lesions, matches = lesions_of(mask), matched(prediction, mask)
    rows = zip(lesions.voxels, matches.covered, matches.detected, strict=True)
    assert (sorted(rows), matches.true_positives, matches.false_positives) == found_naively(
        prediction, mask
    )


def test_the_random_cases_hold_every_outcome():
    """Or the comparison above would prove little."""
    outcomes = {"missed": 0, "detected": 0, "false": 0, "neither": 0}
    for seed in range(40):
        prediction, mask = random_case(seed)
        matches = matched(prediction, mask)
        outcomes["missed"] += (~matches.detected & (matches.covered > 0)).sum()
        outcomes["detected"] += matches.detected.sum()
        outcomes["false"] += matches.false_positives
        outcomes["neither"] += (
            len(flooded(prediction)) - matches.true_positives - matches.false_positives
        )
    assert min(outcomes.values()) >= 5, outcomes


def test_lesions_are_the_components_of_simpleitk():
    mask = (np.random.default_rng(5).random((9, 20, 18)) < 0.08).astype(np.uint8)
    image = sitk.RelabelComponent(sitk.ConnectedComponent(sitk.GetImageFromArray(mask), True))
    sizes = np.bincount(sitk.GetArrayFromImage(image).ravel())[1:]
    lesions = lesions_of(mask)
    assert lesions.voxels.tolist() == sizes.tolist() and len(sizes) > 20
    np.testing.assert_array_equal(lesions.numbers > 0, mask == 1)


def test_one_component_may_find_several_lesions_and_several_may_find_one():
    matches = matched(row(0, 1, 1, 1, 1, 1, 0, 0), row(0, 1, 0, 1, 1, 0, 0, 0))
    assert matches.detected.tolist() == [True, True]
    assert (matches.true_positives, matches.false_positives) == (1, 0)
    matches = matched(row(1, 0, 1, 0, 1, 0, 0, 1), row(1, 1, 1, 1, 1, 0, 0, 0))
    assert matches.covered.tolist() == [3] and matches.detected.tolist() == [True]
    assert (matches.true_positives, matches.false_positives) == (3, 1)


def test_a_tenth_is_enough_on_both_sides():
    lesion, prediction = np.zeros((2, 1, 1, 40), np.uint8)
    lesion[..., :10], prediction[..., 9:19] = 1, 1
    assert matched(prediction, lesion).detected.tolist() == [True]
    larger = prediction.copy()
    larger[..., 19] = 1
    matches = matched(larger, lesion)
    assert (matches.true_positives, matches.false_positives) == (0, 1)
    assert matches.covered.tolist() == [1] and matches.detected.tolist() == [False]
    longer = np.zeros_like(lesion)
    longer[..., :11], longer[..., 30] = 1, 1
    matches = matched(prediction & (np.arange(40) < 11) & (np.arange(40) > 9), longer)
    # One of eleven voxels is less than a tenth; the component lies on the lesion all the same.
    assert matches.detected.tolist() == [False, False]
    assert (matches.true_positives, matches.false_positives) == (1, 0)


def test_what_runs_over_everything_finds_nothing():
    lesion = np.zeros((5, 8, 8), np.uint8)
    lesion[1, 2:4, 2:4] = lesion[3, 5, 5] = 1
    matches = matched(np.ones_like(lesion), lesion)
    assert not matches.detected.any() and matches.covered.tolist() == [4, 1]
    assert matches.false_positives == 1
    assert lesion_scores(matches)["lesion_sensitivity"] == 0


def test_ignored_voxels_are_scored_neither_way():
    # The component lies on ignored voxels but for its rim: no finding, and no false one.
    matches = matched(row(1, 1, 1, 1, 0), row(0, 2, 2, 2, 0))
    assert (matches.true_positives, matches.false_positives) == (0, 0)
    # Half on them, or less: the rest is one.
    matches = matched(row(1, 1, 1, 1, 1), row(0, 0, 0, 2, 2))
    assert matches.false_positives == 1
    # They make a component no larger than what is scored of it: 1 of 2 lies on the lesion.
    mask = np.zeros((1, 1, 30), np.uint8)
    mask[..., 0], mask[..., 2:] = 1, 2
    matches = matched(np.ones_like(mask), mask)
    assert matches.detected.tolist() == [True] and matches.true_positives == 1
    # Lesions end where they begin.
    assert lesions_of(row(1, 2, 1, 0, 1)).voxels.tolist() == [1, 1, 1]


def test_scores_by_hand():
    # Two of three lesions by two of four components.
    mask = row(1, 1, 0, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0)
    prediction = row(1, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 1, 0)
    scores = lesion_scores(matched(prediction, mask))
    assert scores["lesion_sensitivity"] == pytest.approx(2 / 3)
    assert scores["false_positive_components"] == 2
    assert scores["lesion_f1"] == pytest.approx(2 * (2 / 3) * (1 / 2) / (2 / 3 + 1 / 2))


def test_scores_without_lesions_or_without_a_prediction():
    nothing, lesion = row(0, 0, 0), row(0, 1, 0)
    healthy = lesion_scores(matched(row(1, 0, 1), nothing))
    assert healthy["false_positive_components"] == 2
    assert math.isnan(healthy["lesion_sensitivity"]) and math.isnan(healthy["lesion_f1"])
    missed = lesion_scores(matched(nothing, lesion))
    assert list(missed.values()) == [0, 0, 0]
    assert list(lesion_scores(matched(row(1, 0, 0), lesion)).values()) == [0, 1, 0]
    with pytest.raises(ValueError, match=r"\(1, 1, 3\) and \(1, 1, 4\)"):
        matched(nothing, row(0, 0, 1, 1))


def test_rows_of_lesions_by_hand():
    mask = row(1, 0, 1, 1, 1, 0, 2, 0)
    scores = np.array([0.3, 0.9, 0.2, 0.6, 0.1, 0, 0.8, 0], np.float32)[None, None]
    lesions = lesions_of(mask)
    rows = lesion_rows(lesions, match_lesions(scores > 0.4, lesions), scores, 0.008)
    assert [(number, detected) for number, *_, detected in rows] == [(1, 1), (2, 0)]
    volumes, overlaps, maxima = zip(*(found[1:4] for found in rows), strict=True)
    assert volumes == pytest.approx((0.024, 0.008))
    assert overlaps == pytest.approx((1 / 3, 0)) and maxima == pytest.approx((0.6, 0.3))
    assert lesion_rows(*_without_lesions(scores), scores, 0.008) == []


def _without_lesions(scores):
    lesions = lesions_of(np.zeros(scores.shape, np.uint8))
    return lesions, match_lesions(scores > 0.4, lesions)


def test_counts_at_each_threshold_by_hand():
    mask = row(1, 1, 0, 1, 0, 0, 0, 0)
    scores = np.array([0.8, 0.8, 0, 0.3, 0, 0.5, 0, 0.1], np.float32)[None, None]
    thresholds = [0.9, 0.6, 0.4, 0.2, 0.05]
    counts = froc_counts(lesions_of(mask), scores, thresholds, ALL_KEPT)
    assert counts.tolist() == [[0, 0], [1, 0], [1, 1], [2, 1], [2, 2]]
    # Small components are removed as they are from every segmentation.
    kept = PostprocessingSettings(
        order=(), erosion_iterations=0, median_size=1, minimum_component=2
    )
    assert froc_counts(lesions_of(mask), scores, [0.05], kept).tolist() == [[1, 0]]


def test_factors_hold_the_threshold_itself():
    assert 1 in FACTORS and (FACTORS[0], FACTORS[-1]) == (0.5, 4)
    assert np.diff(np.log(FACTORS)) == pytest.approx(np.log(2) / 6)


def scored(subject, **metrics):
    return [(subject, "", name, value) for name, value in metrics.items()]


def test_sensitivity_by_size_is_over_subjects():
    scores = pd.DataFrame(
        scored("a", lesion_sensitivity=0.5, lesion_f1=0.4, false_positive_components=3, dice=0.9)
        + scored("b", lesion_sensitivity=1.0, lesion_f1=1.0, false_positive_components=0)
        + scored("c", lesion_sensitivity=np.nan, lesion_f1=np.nan, false_positive_components=6),
        columns=["subject", "session", "metric", "value"],
    )
    # a has three tiny lesions, one of which is found, and a large one; b a tiny one, which is.
    lesions = pd.DataFrame(
        [
            *(("a", 1, 20.0, 1), ("a", 2, 0.05, 1), ("a", 3, 0.05, 0), ("a", 4, 0.05, 0)),
            ("b", 1, 0.09, 1),
        ],
        columns=["subject", "lesion", "volume_ml", "detected"],
    ).assign(session="")
    place = {"method": "m", "dataset": "ms", "modality": "t2"}
    both = [
        pd.concat([frame.assign(fold=fold, **place) for fold in (0, 1)])
        for frame in (scores, lesions)
    ]
    table = summarize_lesions(*both, BOOTSTRAP)
    found = table.set_index(["metric", "size"])
    assert set(found.index) == {
        *(("lesion_sensitivity", size) for size in ("any", "< 0.1 ml", "\u2265 10 ml")),
        ("lesion_f1", "any"),
        ("false_positive_components", "any"),
    }
    assert table["size"].unique().tolist() == ["any", "< 0.1 ml", "\u2265 10 ml"]
    tiny = found.loc[("lesion_sensitivity", "< 0.1 ml")]
    assert tiny["mean"] == pytest.approx((1 / 3 + 1) / 2)
    assert (tiny["folds"], tiny["subjects"], tiny["lesions"]) == (2, 2, 4)
    large = found.loc[("lesion_sensitivity", "\u2265 10 ml")]
    assert (large["mean"], large["subjects"], large["lesions"]) == (1, 1, 1)
    whole = found.loc[("lesion_sensitivity", "any")]
    assert (whole["mean"], whole["subjects"], whole["lesions"]) == (0.75, 2, 5)
    # A subject without a lesion counts for these alone.
    false = found.loc[("false_positive_components", "any")]
    assert (false["mean"], false["subjects"]) == (3, 3)


def test_data_set_without_a_lesion_in_its_test():
    scores = pd.DataFrame(
        scored("a", lesion_sensitivity=np.nan, lesion_f1=np.nan, false_positive_components=2),
        columns=["subject", "session", "metric", "value"],
    )
    lesions = pd.DataFrame(columns=["subject", "session", "lesion", "volume_ml", "detected"])
    place = {"method": "m", "dataset": "ms", "modality": "t2", "fold": 0}
    table = summarize_lesions(scores.assign(**place), lesions.assign(**place), BOOTSTRAP)
    assert table.set_index("metric")["mean"].dropna().to_dict() == {"false_positive_components": 2}
    assert table["lesions"].tolist() == [0] * len(table)
