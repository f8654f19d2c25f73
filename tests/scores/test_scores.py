"""Scores are built by name, say what they need, and give the maps that their formulas say."""

import subprocess
import sys

import numpy as np
import pytest
from own_kind import put_into

import brainuad.scores
from brainuad.io.errors import SettingsError
from brainuad.scores import load_score, values_of

BRAIN = np.ones((1, 1, 2), bool)


def test_absolute_by_hand():
    score = load_score({"kind": "absolute"})
    image = np.array([[[0.25, 1.0]]], dtype=np.float32)
    reconstruction = np.array([[[0.75, 0.5]]], dtype=np.float32)
    found = score(image, reconstruction, BRAIN)
    assert found.tolist() == [[[0.5, 0.5]]] and found.dtype == np.float32
    assert score.needs_reconstruction
    with pytest.raises(ValueError, match=r"\(1, 1, 2\), its reconstruction \(1, 1, 1\)"):
        score(image, reconstruction[..., :1], BRAIN)


def test_intensity_is_that_of_the_image_alone():
    score = load_score({"kind": "intensity"})
    image = np.array([[[0.25, -0.5]]], dtype=np.float32)
    assert score(image, None, BRAIN).tolist() == [[[0.25, 0.5]]]
    assert not score.needs_reconstruction


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"kind": "absolut"}, "score kind 'absolut' is not one of absolute, intensity"),
        ({"kind": "postprocess"}, "score kind 'postprocess' is not one of absolute, intensity"),
        ({}, "score kind None is not one of absolute, intensity"),
        ({"kind": "absolute", "power": 2}, "unknown key.*power|power: unknown key"),
        ({"kind": "intensity", "power": 2}, "unknown key.*power|power: unknown key"),
    ],
)
def test_what_is_unknown_is_named(block, message):
    with pytest.raises(SettingsError, match=message):
        load_score(block)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def make(settings): ...", r"scores/own\.py has no function build\(settings\); add it"),
        ("def build(settings): ...", r"scores/own\.py: what build returns has no needs_reconstruc"),
    ],
)
def test_what_a_file_of_ones_own_lacks_is_named(code, message, tmp_path, monkeypatch):
    put_into(brainuad.scores, code, tmp_path, monkeypatch)
    with pytest.raises(SettingsError, match=message):
        load_score({"kind": "own"})


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([[0.5, 1.0]], r"the map has the shape \(1, 2\), its scan \(1, 1, 2\); return a number"),
        (None, r"the map has the shape \(\), its scan \(1, 1, 2\)"),
        ([[[0.5, np.nan]]], "the map holds NaN or infinity, at 1 of 2 voxels; return finite"),
        ([[[np.inf, np.nan]]], "the map holds NaN or infinity, at 2 of 2 voxels"),
        ([[[0.5, -0.25]]], r"the map has values below 0, down to -0\.25; return 0 or more"),
    ],
)
def test_a_map_that_is_none_is_named_with_its_file(made, message):
    image = np.zeros((1, 1, 2), np.float32)
    returned = made if made is None else np.float32(made)
    with pytest.raises(SettingsError, match=r"^scores/test_scores\.py: " + message):
        values_of(Returning(returned), image, None, BRAIN)


class Returning:
    """A score whose map is given."""

    needs_reconstruction = False

    def __init__(self, made):
        self.made = made

    def __call__(self, image, reconstruction, brain_mask):
        return self.made


def test_a_signed_map_may_be_below_zero():
    made = np.float32([[[0.5, -0.25]]])
    image = np.zeros((1, 1, 2), np.float32)
    assert values_of(Returning(made), image, None, BRAIN, signed=True) is made


def test_scores_are_built_without_torch():
    code = (
        "import sys; from brainuad.scores import load_score; "
        "kinds = ('absolute', 'intensity', 'mahalanobis', 'signed', 'ssim_ensemble'); "
        "[load_score({'kind': kind}) for kind in kinds]; "
        "import brainuad.scores.normative, brainuad.scores.scoring; "
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
