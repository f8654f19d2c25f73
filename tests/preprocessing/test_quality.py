import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

from brainuad.preprocessing import quality


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


def test_cut_is_the_largest_area_of_brain_on_a_side_of_the_field_of_view():
    spacing = np.array([1.0, 2.0, 5.0])
    brain = np.zeros((30, 20, 10), bool)
    brain[5:25, 5:15, 2:8] = True
    assert quality.cut_cm2(brain, spacing) == 0
    brain[5:25, 5:15, 8:] = True
    assert quality.cut_cm2(brain, spacing) == pytest.approx(20 * 10 * 2 / 100)
    brain[:5, 5:15] = True
    # The first side cuts 10 x 10 voxels of 2 x 5 mm, the last one now 25 x 10 of 1 x 2 mm.
    assert quality.cut_cm2(brain, spacing) == pytest.approx(10)
    assert quality.cut_cm2(brain[:, :, :3], spacing) == pytest.approx(25 * 10 * 2 / 100)
    assert quality.cut_cm2(brain[10:11, :, 2:8], spacing) == pytest.approx(6)


def test_overlap_is_dice():
    brain = np.zeros((4, 4, 4), bool)
    brain[:2] = True
    assert quality.overlap(brain, np.roll(brain, 1, axis=0)) == 0.5
    assert np.isnan(quality.overlap(brain & False, brain & False))


def test_template_edges_are_the_brain_and_the_ventricles_deep_in_it():
    offsets = np.indices((60, 60, 60)) - 29.5
    radius = 2 * np.sqrt((offsets**2).sum(axis=0))
    template = np.where(radius < 50, 1.0, 0.0)
    template[radius < 14] = 0.2
    # A dark spot just under the surface is a sulcus, not a ventricle.
    template[28:31, 28:31, 7:10] = 0.2
    brain, ventricles = quality.template_edges(template, np.array([2.0, 2.0, 2.0]))
    assert brain.sum() * 8 == pytest.approx(4 / 3 * np.pi * 50**3, rel=0.05)
    assert brain[29, 29, 29]
    assert ventricles[29, 29, 29]
    assert not ventricles[radius > 18].any()
