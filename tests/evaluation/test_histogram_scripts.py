"""From scans to their histograms and those of reconstructions, and to the table of these."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from blank_model import Blank
from small_report import texts_of, write_small_table

import compare_histograms
from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.tables import read_table, write_table

FP32 = {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True}
HEALTHY = 40


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """Scans of two tissues, .9 and .5, reconstructed as nothing at all.

    Of the 40 healthy brain voxels of the first test subject half are of either tissue, of those
    of the second a quarter is bright.
    """
    images = np.full((3, 2, 32, 32), 0.7, np.float32)
    brain, lesions = np.zeros(images.shape, bool), np.zeros(images.shape, np.uint8)
    # A row of brain: healthy, then 3 lesion and 2 ignored voxels, which would fill other bins.
    brain[:, 0, :, 0] = brain[:, 1, :13, 0] = True
    images[:, 0, :, 0] = images[:, 1, :8, 0] = 0.5
    images[1, 0, :20, 0] = images[2, 0, :10, 0] = 0.9
    lesions[:, 1, 8:11, 0], lesions[:, 1, 11:13, 0] = 1, 2
    stack = SliceStack(
        images=images,
        brain_masks=brain,
        lesions=lesions,
        subjects=np.array(["trains", "even", "uneven"]),
        affines=np.tile(np.eye(4), (3, 1, 1)),
    )
    write_slices(stack, tmp_path / "slices.npz")
    split = {"trains": "train", "even": "test", "gone": "test", "uneven": "test"}
    write_table(
        pd.DataFrame({"subject": split.keys(), "session": "", "partition": split.values()}),
        tmp_path / "split.tsv",
    )
    monkeypatch.setattr(compare_histograms, "load_model", lambda path, device: Blank())
    return tmp_path


def compare(folder, **changes):
    """The measures as a table and the histograms as a dict."""
    options = {
        "slices": folder / "slices.npz",
        "split": folder / "split.tsv",
        "weights": folder / "weights.pt",
        "measures": folder / "measures.tsv",
        "histograms": folder / "histograms.npz",
        "timesteps": [500],
        "bins": 4,
        "modality": "t2",
        "seed": 0,
        "device": FP32,
        "threads": 1,
    }
    compare_histograms.main(**options | changes)
    with np.load(folder / "histograms.npz") as arrays:
        return read_table(folder / "measures.tsv"), dict(arrays)


@pytest.mark.parametrize("gamma", [1.0, 2.0])
def test_measures_by_hand(scans, gamma):
    table, _ = compare(scans, gamma=gamma)
    assert table.columns.tolist() == ["subject", "session", "modality", "gamma", "metric", "value"]
    assert table["subject"].tolist() == ["even", "uneven", "all"]
    assert table["gamma"].tolist() == [gamma] * 3
    assert table["modality"].unique().tolist() == ["t2"]
    found = table.set_index(["subject", "metric"])["value"]
    # All of the reconstruction is in the first bin, which is an entropy of 0. Of the 80 voxels of
    # both subjects 30 are bright.
    of_all = -3 / 8 * math.log(3 / 8) - 5 / 8 * math.log(5 / 8)
    assert found["all", "entropy_difference"] == pytest.approx(of_all)
    # Half a voxel more in each of 4 bins: 20.5, 20.5, .5 and .5 of 42 against 40.5 and thrice .5.
    # At gamma 2 the tissues are .81 and .25: the second and the fourth bin, not the third.
    apart = (2 * 20.5 * math.log(20.5 / 0.5) + 0.5 * math.log(0.5 / 40.5)) / 42
    assert found["even", "kl_divergence"] == pytest.approx(apart)


@pytest.mark.parametrize(("gamma", "places"), [(1.0, [2, 3]), (2.0, [1, 3])])
def test_densities_are_pooled_over_healthy_voxels_of_test_subjects(scans, gamma, places):
    _, arrays = compare(scans, gamma=gamma)
    assert set(arrays) == {"edges", "gamma", "scans", "reconstructions"}
    np.testing.assert_allclose(arrays["edges"], [0, 0.25, 0.5, 0.75, 1])
    assert arrays["gamma"] == gamma
    # Of 80 voxels 30 are bright; a bin is a quarter wide.
    expected = np.zeros(4)
    expected[places] = 4 * 50 / (2 * HEALTHY), 4 * 30 / (2 * HEALTHY)
    np.testing.assert_allclose(arrays["scans"], expected)
    np.testing.assert_allclose(arrays["reconstructions"], [4, 0, 0, 0])


def test_of_samples_their_mean_is_compared(scans, monkeypatch):
    class TwoWays(Blank):
        def reconstruct(self, images, *, samples, **options):
            return torch.cat([torch.full_like(images, value) for value in (0.2, 0.9)], dim=1)

    monkeypatch.setattr(compare_histograms, "load_model", lambda path, device: TwoWays())
    _, arrays = compare(scans, gamma=1.0, samples=2)
    np.testing.assert_allclose(arrays["reconstructions"], [0, 0, 4, 0])


def test_without_a_test_subject(scans):
    write_table(
        pd.DataFrame({"subject": ["gone"], "session": "", "partition": ["test"]}),
        scans / "none.tsv",
    )
    table, arrays = compare(scans, gamma=1.0, split=scans / "none.tsv")
    assert table.empty and table.columns[-1] == "value"
    assert arrays["scans"].shape == (4,) and np.isnan(arrays["scans"]).all()


def tabulated(tmp_path, values):
    """The files of the table of methods on IXI; values by method and gamma."""
    paths, methods = [], []
    for method, by_gamma in values.items():
        rows = [
            ("a", "t2", gamma, metric, value)
            for gamma, value in by_gamma.items()
            for metric in ("entropy_difference", "kl_divergence")
        ]
        paths.append(tmp_path / f"{method}.tsv")
        columns = ["subject", "modality", "gamma", "metric", "value"]
        write_table(pd.DataFrame(rows, columns=columns), paths[-1])
        methods.append(method)
    files = write_small_table(
        "histograms",
        tmp_path,
        scores=paths,
        methods=methods,
        folds=[0] * len(paths),
        datasets=["ixi"] * len(paths),
    )
    return texts_of(files)


def test_nearest_to_zero_is_best(tmp_path):
    values = {"ddpm": {0.5: -0.51, 2.0: 0.62}, "cddpm": {0.5: 0.13, 2.0: -0.24}}
    summary, html, tex = tabulated(tmp_path, values)
    keys = ["method", "dataset", "modality", "gamma", "metric", "mean"]
    assert summary.columns.tolist()[:6] == keys
    assert len(summary) == 8
    assert html.index("\u03b3 = 0.5") < html.index("\u03b3 = 2")
    bold = [line for line in tex.splitlines() if r"\textbf" in line]
    # cDDPM at both gammas, in its entropy difference.
    assert len(bold) == 2 and all("cDDPM" in line for line in bold)
    assert r"\textbf{0.13" in bold[0] and "0.24" in bold[1]


def test_no_file_at_all(tmp_path):
    summary, html, _ = tabulated(tmp_path, {})
    assert summary.empty and "gamma" in summary
    assert "There are no scores for this table." in html
