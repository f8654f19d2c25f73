import math

import numpy as np
import pytest
from scipy import stats

from brainuad.evaluation import histograms

EDGES = np.linspace(0, 1, 11)


def counts_of(seed, number=100_000):
    generator = np.random.default_rng(seed)
    return histograms.count_values(generator.beta(2 + seed, 3, number), EDGES)


def test_values_beyond_the_edges_count_in_the_bin_next_to_them():
    values = np.array([[0.0, 0.2499, 0.25], [1.0, -0.1, 1.2]], np.float32)
    counts = histograms.count_values(values, np.array([0.0, 0.25, 1.0]))
    assert counts.tolist() == [3, 3]


def test_densities_by_hand():
    found = histograms.densities(np.array([[1, 3], [4, 0], [0, 0]]), np.array([0.0, 0.25, 1.0]))
    np.testing.assert_allclose(found[:2], [[1, 1], [4, 0]])
    assert np.isnan(found[2]).all()


def test_entropy_by_hand():
    assert histograms.entropy(np.array([5, 5, 5, 5])) == pytest.approx(math.log(4))
    assert histograms.entropy(np.array([0, 9, 0])) == 0
    assert histograms.entropy(np.array([1, 0, 3])) == pytest.approx(
        -0.25 * math.log(0.25) - 0.75 * math.log(0.75)
    )
    assert math.isnan(histograms.entropy(np.array([0, 0])))


def test_entropy_as_scipy():
    counts = counts_of(1)
    assert histograms.entropy(counts) == pytest.approx(stats.entropy(counts))


def test_entropy_difference_has_the_sign_of_what_a_reconstruction_loses():
    spread, narrow = np.array([2, 2, 2, 2]), np.array([0, 4, 4, 0])
    assert histograms.entropy_difference(spread, narrow) == pytest.approx(math.log(2))
    assert histograms.entropy_difference(narrow, spread) == pytest.approx(-math.log(2))
    # Other histograms may have the same entropy, which a divergence tells apart.
    assert histograms.entropy_difference(narrow, narrow[[1, 0, 3, 2]]) == 0
    assert histograms.kl_divergence(narrow, narrow[[1, 0, 3, 2]]) > 0.1


def test_kl_divergence_by_hand():
    # With half a value in each bin the shares are .7 and .3, and the other way round.
    found = histograms.kl_divergence(np.array([3, 1]), np.array([1, 3]))
    assert found == pytest.approx(0.4 * math.log(7 / 3))


def test_kl_divergence_of_many_values_is_that_of_scipy():
    scan, reconstruction = counts_of(0), counts_of(1)
    assert (scan > 0).all() and (reconstruction > 0).all()
    found = histograms.kl_divergence(scan, reconstruction)
    assert found == pytest.approx(stats.entropy(scan, reconstruction), rel=0.01)
    assert found != pytest.approx(stats.entropy(reconstruction, scan), rel=0.01)


def test_kl_divergence_is_finite_where_bins_are_empty():
    apart = histograms.kl_divergence(np.array([8, 0]), np.array([0, 8]))
    assert apart == pytest.approx((8.5 - 0.5) / 9 * math.log(17))
    assert histograms.kl_divergence(np.array([8, 0]), np.array([8, 0])) == 0
    assert math.isnan(histograms.kl_divergence(np.array([0, 0]), np.array([8, 0])))
    assert math.isnan(histograms.kl_divergence(np.array([8, 0]), np.array([0, 0])))
