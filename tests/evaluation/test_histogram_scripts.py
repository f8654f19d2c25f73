"""From scans to their histograms and those of reconstructions, and to the table of these."""

import math

import numpy as np
import pandas as pd
import pytest

import compare_histograms
import tabulate_histograms
from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.tables import read_table, write_table
from brainuad.models import build_trainable
from brainuad.models.checkpoints import write_weights

FP32 = {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True}
BOOTSTRAP = {"rounds": 100, "confidence": 0.95, "seed": 0}
HEALTHY = 40


@pytest.fixture
def compared(tmp_path):
    """Scans of two tissues, .9 and .5, reconstructed as nothing at all, at gamma 1 and 2.

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
        pd.DataFrame({"subject": split.keys(), "partition": split.values()}), tmp_path / "split.tsv"
    )
    method = build_trainable("thresh", {})
    write_weights(
        tmp_path / "weights.pt",
        kind="thresh",
        settings={},
        state=method.network.state_dict(),
        training={},
    )
    return compare(tmp_path)


def compare(folder, **changes):
    """The measures as a table and the histograms as a dict."""
    options = {
        "slices": folder / "slices.npz",
        "split": folder / "split.tsv",
        "weights": folder / "weights.pt",
        "measures": folder / "measures.tsv",
        "histograms": folder / "histograms.npz",
        "timesteps": [500],
        "gammas": [1.0, 2.0],
        "bins": 4,
        "modality": "t2",
        "seed": 0,
        "device": FP32,
        "threads": 1,
    }
    compare_histograms.main(**options | changes)
    with np.load(folder / "histograms.npz") as arrays:
        return read_table(folder / "measures.tsv"), dict(arrays)


def test_measures_by_hand(compared):
    table, _ = compared
    assert table.columns.tolist() == ["subject", "modality", "gamma", "metric", "value"]
    assert table["subject"].tolist() == ["even", "uneven", "all"] * 2
    assert table["gamma"].tolist() == [1.0] * 3 + [2.0] * 3
    assert table["modality"].unique().tolist() == ["t2"]
    found = table.pivot_table(index=["gamma", "subject"], columns="metric", values="value")
    # All of the reconstruction is in the first bin, which is an entropy of 0. Of the 80 voxels of
    # both subjects 30 are bright.
    of_all = -3 / 8 * math.log(3 / 8) - 5 / 8 * math.log(5 / 8)
    for gamma in (1.0, 2.0):
        assert found.loc[(gamma, "all"), "entropy_difference"] == pytest.approx(of_all)
    # Half a voxel more in each of 4 bins: 20.5, 20.5, .5 and .5 of 42 against 40.5 and thrice .5.
    apart = (2 * 20.5 * math.log(20.5 / 0.5) + 0.5 * math.log(0.5 / 40.5)) / 42
    assert found.loc[(1.0, "even"), "kl_divergence"] == pytest.approx(apart)
    # At gamma 2 the tissues are .81 and .25: the second and the fourth bin.
    assert found.loc[(2.0, "even"), "kl_divergence"] == pytest.approx(apart)


def test_densities_are_pooled_over_healthy_voxels_of_test_subjects(compared):
    _, arrays = compared
    assert set(arrays) == {"edges", "gammas", "scans", "reconstructions"}
    np.testing.assert_allclose(arrays["edges"], [0, 0.25, 0.5, 0.75, 1])
    assert arrays["gammas"].tolist() == [1.0, 2.0]
    # Of 80 voxels 30 are bright; a bin is a quarter wide.
    dark, bright = 4 * 50 / (2 * HEALTHY), 4 * 30 / (2 * HEALTHY)
    np.testing.assert_allclose(arrays["scans"], [[0, 0, dark, bright], [0, dark, 0, bright]])
    np.testing.assert_allclose(arrays["reconstructions"], [[4, 0, 0, 0]] * 2)


def test_without_a_test_subject(compared, tmp_path):
    write_table(pd.DataFrame({"subject": ["gone"], "partition": ["test"]}), tmp_path / "none.tsv")
    table, arrays = compare(tmp_path, split=tmp_path / "none.tsv")
    assert table.empty and table.columns[-1] == "value"
    assert arrays["scans"].shape == (2, 4) and np.isnan(arrays["scans"]).all()


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
    outputs = {kind: tmp_path / f"histograms.{kind}" for kind in ("tsv", "html", "tex")}
    tabulate_histograms.main(
        scores=paths,
        methods=methods,
        folds=[0] * len(paths),
        datasets=["ixi"] * len(paths),
        bootstrap=BOOTSTRAP,
        **outputs,
    )
    texts = (outputs[kind].read_text(encoding="utf-8") for kind in ("html", "tex"))
    return read_table(outputs["tsv"]), *texts


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
