"""Before there are scans, scores are tried on one that is made up."""

import numpy as np
import pytest
from small_study import PAPER

import check_models
from brainuad.config.reading import read_config
from brainuad.io.errors import SettingsError

SIZE = (64, 32)
METHODS = read_config(PAPER, PAPER)["methods"]


class Own:
    """A score of one's own, with what it does."""

    needs_reconstruction = True

    def __init__(self, compute):
        self.compute = compute

    def __call__(self, image, reconstruction, brain_mask):
        return self.compute(image, reconstruction, brain_mask)


@pytest.mark.parametrize(
    ("compute", "reason"),
    [
        (lambda image, made, brain: made - image, "the map has values below 0"),
        (lambda image, made, brain: made[brain], "the map has the shape"),
        (lambda image, made, brain: made / brain.astype(int), "the map holds NaN or infinity"),
        (lambda image, made, brain: made + np.ones(7), "ValueError: operands could not be"),
    ],
)
def test_scores_are_tried_on_a_made_up_scan(compute, reason, monkeypatch):
    monkeypatch.setattr(check_models, "load_score", lambda score: Own(compute))
    method = {"model": "ae", "samples": 1, "score": {"kind": "own"}}
    with pytest.raises(SettingsError) as caught, np.errstate(all="ignore"):
        check_models.check_score("m", **method, size=SIZE)
    line = str(caught.value)
    assert line.startswith("config: methods.m.score: ") and reason in line and "\n" not in line


@pytest.mark.parametrize("name", METHODS)
def test_the_scores_of_the_config_can_score(name):
    method = METHODS[name]
    check_models.check_score(
        name, model=method["model"], samples=method["samples"], score=method["score"], size=SIZE
    )
