"""How the panel's script chooses subjects and layout; the rest is in test_plot_scripts."""

import json

import numpy as np
import pandas as pd
import pytest
from figure_checks import drawn_twice
from small_report import PLAIN_LABELS

import map_anomalies
import plot_panel
from brainuad.images.slices import SliceStack, read_slices, write_slices
from brainuad.io.tables import write_table

METHODS = ["thresh", "ae", "dae", "ddpm_ens", "cddpm"]
POSTPROCESSING = {
    "order": ["erosion", "median"],
    "erosion_iterations": 0,
    "median_size": 1,
    "minimum_component": 1,
}


@pytest.fixture
def files(tmp_path):
    """Seven subjects with lesions of 1 to 7 voxels, and what five methods made of them."""
    images = np.random.default_rng(0).random((7, 2, 10, 12), dtype=np.float32)
    lesions = np.zeros(images.shape, np.uint8)
    for number in range(7):
        lesions[number, 1, 2 : 3 + number, 3] = 1
    stack = SliceStack(
        images=images,
        brain_masks=np.ones(images.shape, bool),
        lesions=lesions,
        subjects=np.array([f"s{number}" for number in range(1, 8)]),
        affines=np.tile(np.eye(4), (7, 1, 1)),
    )
    write_slices(stack, tmp_path / "slices.npz")
    split = pd.DataFrame({"subject": stack.subjects, "session": "", "partition": "test"})
    write_table(split, tmp_path / "split.tsv")
    np.savez(tmp_path / "made.npz", names=stack.subjects, reconstructions=images * 0.8)
    for method in METHODS:
        without = method == "thresh"
        map_anomalies.main(
            slices=tmp_path / "slices.npz",
            split=tmp_path / "split.tsv",
            reconstructions=None if without else tmp_path / "made.npz",
            output=tmp_path / f"{method}.npz",
            score={"kind": "intensity" if without else "absolute"},
            partitions=["test"],
            postprocessing=POSTPROCESSING,
        )
        (tmp_path / f"{method}.json").write_text(json.dumps({"threshold": 0.1}))

    def of(methods):
        return {
            "slices": tmp_path / "slices.npz",
            "split": tmp_path / "split.tsv",
            "anomaly_maps": [tmp_path / f"{method}.npz" for method in methods],
            "thresholds": [tmp_path / f"{method}.json" for method in methods],
            "methods": methods,
            "cohort": ["mslub", "t2"],
            "postprocessing": POSTPROCESSING,
            "labels": PLAIN_LABELS,
        }

    return of


@pytest.mark.parametrize(
    ("methods", "subjects", "axes"),
    [
        # Six subjects: scan, two pictures of Thresh and three of each other; four scales.
        (["thresh", "ae", "dae", "ddpm_ens"], "s1, s2, s3, s5, s6, s7", 6 * (1 + 2 + 3 * 3) + 4),
        # Four subjects in two rows: scan and five methods, Thresh without a reconstruction; five
        # scales and what the outlines mean.
        (METHODS, "s1, s3, s5, s7", 4 * (2 + 5 + 4) + 5 + 1),
    ],
)
def test_many_methods_have_a_compact_layout(files, tmp_path, capsys, methods, subjects, axes):
    svg = drawn_twice(lambda **out: plot_panel.main(**files(methods), **out), tmp_path)
    assert svg.count('<g id="axes_') == axes
    assert f"drawn: {subjects}\n" in capsys.readouterr().out


def test_subjects_stand_by_the_volume_in_their_own_space(files, tmp_path, capsys):
    inputs = files(["thresh", "ae"])
    stack = read_slices(inputs["slices"])
    # The heads of the first two were shrunk on their way to the grid; s7 came registered.
    sizes = np.array([0.055, 0.021, 0.01, 0.01, 0.01, 0.01, np.nan])
    write_slices(SliceStack(**{**vars(stack), "native_voxel_ml": sizes}), inputs["slices"])
    svg = drawn_twice(lambda **out: plot_panel.main(**inputs, **out), tmp_path)
    # .055, .042, .03, .04, .05, .06, and 7 voxels of 1 mm3 each; of seven six are drawn.
    assert "drawn: s7, s3, s4, s5, s1, s6\n" in capsys.readouterr().out
    assert "0.007 ml (grid)" in svg and "0.03 ml" in svg and "0.06 ml" in svg
