"""Scores are built by name, say what they need, and give the maps that their formulas say."""

import subprocess
import sys

import numpy as np
import pytest

from brainuad.io.errors import SettingsError
from brainuad.scores import load_score

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


def test_scores_are_built_without_torch():
    code = (
        "import sys; from brainuad.scores import load_score; "
        "kinds = ('absolute', 'intensity', 'mahalanobis', 'signed', 'ssim_ensemble'); "
        "[load_score({'kind': kind}) for kind in kinds]; "
        "import brainuad.scores.normative, brainuad.scores.scoring; "
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
