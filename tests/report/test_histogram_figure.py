from functools import partial

import numpy as np
import pytest
from figure_checks import drawn_twice
from small_report import LABELS, REGISTER, write_small_figure

from brainuad.report.figures.histograms import Histograms, densities_by_gamma, merge_bins
from brainuad.report.figures.style import house_style, styles_from

GAMMAS = np.array([0.5, 1.0, 2.0])


def densities_of(*shares):
    """Densities of a histogram in bins between 0 and 1, from shares that add up to 1."""
    return np.array(shares) * len(shares)


def make_histograms():
    """Scans spread over four bins, reconstructions over two of them."""
    return Histograms(
        edges=np.linspace(0, 1, 5),
        gammas=GAMMAS,
        scans=np.stack([densities_of(0.25, 0.25, 0.25, 0.25)] * 3),
        reconstructions=np.stack([densities_of(0, 0.5, 0.5, 0)] * 3),
    )


def draw(methods):
    styles = styles_from(REGISTER.figures["precision_recall_mslub_t2"].params["styles"])
    with house_style():
        return densities_by_gamma(methods, styles=styles, labels=LABELS, title="IXI T2")


def test_bins_are_joined_five_by_five_and_the_area_stays_one():
    edges = np.linspace(0, 1, 501)
    values = (np.random.default_rng(0).random(1000) ** 2).tolist()
    fine = np.histogram(values, edges, density=True)[0]
    coarse, coarse_edges = merge_bins(fine, edges)
    assert coarse == pytest.approx(np.histogram(values, edges[::5], density=True)[0])
    assert coarse_edges == pytest.approx(np.linspace(0, 1, 101))


@pytest.mark.parametrize("bins", [4, 60, 101])
def test_bins_that_cannot_be_joined_stay_as_they_are(bins):
    edges = np.linspace(0, 1, bins + 1)
    fine = np.random.default_rng(0).random(bins)
    assert merge_bins(fine, edges)[0] == pytest.approx(fine)


def test_a_row_per_method_a_column_per_gamma_and_the_difference_of_entropies():
    figure = draw({"ddpm": make_histograms(), "cddpm_ens": make_histograms()})
    assert len(figure.axes) == 2 * 3
    assert [axes.get_title() for axes in figure.axes[:3]] == [
        f"\u03b3 = {gamma}" for gamma in ("0.5", "1", "2")
    ]
    assert [axes.get_ylabel() for axes in figure.axes[::3]] == ["DDPM", "cDDPM ENS"]
    # ln 4 - ln 2.
    assert {axes.texts[0].get_text() for axes in figure.axes} == {"ΔH +0.69"}


def test_a_peak_at_the_ends_does_not_flatten_the_rest():
    edges = np.linspace(0, 1, 11)
    scans = densities_of(0.6, 0.04, *[0.04] * 7, 0.08)
    figure = draw({"ddpm": Histograms(edges, GAMMAS[:1], scans[np.newaxis], scans[np.newaxis])})
    assert figure.axes[0].get_ylim() == pytest.approx((0, 1.25 * 0.4))


def written(folder, scans):
    """What compare_histograms writes, a file per gamma."""
    arrays = vars(make_histograms()) | {"scans": scans}
    paths = []
    for number, gamma in enumerate(GAMMAS):
        paths.append(folder / f"gamma{gamma:g}.npz")
        pair = {name: arrays[name][number] for name in ("scans", "reconstructions")}
        np.savez(paths[-1], edges=arrays["edges"], gamma=gamma, **pair)
    return paths


def test_script_draws_what_was_written(tmp_path):
    paths = written(tmp_path, make_histograms().scans)
    given = {"histograms": paths * 2, "methods": ["ddpm"] * 3 + ["cddpm_ens"] * 3}
    svg = drawn_twice(partial(write_small_figure, "histograms_ixi_t2", **given), tmp_path)
    assert svg.count('<g id="axes_') == 6 and "<!-- cDDPM ENS -->" in svg and "IXI T2" in svg


@pytest.mark.parametrize("methods", [[], ["ddpm"] * 3])
def test_without_a_voxel_a_strip_says_so(tmp_path, methods):
    paths = written(tmp_path, np.full((3, 4), np.nan)) if methods else []
    given = {"histograms": paths, "methods": methods}
    svg = drawn_twice(partial(write_small_figure, "histograms_ixi_t2", **given), tmp_path)
    assert 'id="axes_1"' not in svg
