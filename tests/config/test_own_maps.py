"""The config of a model that makes its own anomaly map, from features of a pretrained network."""

import pytest
from bare_bundle import bare_bundle, config_applying
from small_study import PAPER, demo_values, merged

from brainuad.config.bundles import settings_of_bundle
from brainuad.config.reading import read_config
from brainuad.io.errors import SettingsError

OWN_MAP = {"kind": "own_map"}
Z_SCORE = PAPER["methods"]["zscore"]["score"]
CANNOT_WORK = {
    "own map of a model that reconstructs": (
        {"methods": {"ae": {"score": OWN_MAP}}},
        "methods.ae.score: own_map is only for a model that makes one itself",
    ),
    "residual of a model that does not": (
        {"methods": {"fae": {"score": {"kind": "absolute"}}}},
        "methods.fae.score: own_map is the one for fae",
    ),
    "z-score of such a residual": (
        {"methods": {"fae": {"score": Z_SCORE | {"of": {"kind": "signed"}}}}},
        "methods.fae.score: own_map is the one for fae",
    ),
    "histograms of reconstructions": (
        {"experiments": {"histograms": {"methods": ["fae"]}}},
        "experiments.histograms.methods: 'fae' has no reconstructions",
    ),
    "features of an untrained network": (
        {"models": {"fae": {"pretrained": None}}},
        "models.fae.pretrained: fae needs pretrained weights",
    ),
    "features of no encoder": (
        {"models": {"fae": {"settings": {"encoder": None}}}},
        "models.fae.pretrained: the model has no encoder",
    ),
}


@pytest.mark.parametrize(("changes", "expected"), CANNOT_WORK.values(), ids=CANNOT_WORK.keys())
def test_one_line_names_the_key(changes, expected):
    with pytest.raises(SettingsError) as caught:
        read_config(merged(demo_values(), changes), PAPER)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_resnet18_is_given_by_its_path():
    given = {"pretrained": "resnet18.safetensors", "settings": {"encoder": None}}
    config = read_config(merged(demo_values(), {"models": {"fae": given}}), PAPER)
    assert config["models"]["fae"]["pretrained"].endswith("resnet18.safetensors")


def test_a_map_can_be_compared_with_healthy_ones():
    score = Z_SCORE | {"of": OWN_MAP}
    config = read_config(merged(demo_values(), {"methods": {"fae": {"score": score}}}), PAPER)
    assert config["methods"]["fae"]["score"] == score


def test_a_bundle_brings_features_and_needs_no_pretraining(tmp_path):
    trained = read_config(demo_values(), PAPER)
    folder = bare_bundle(tmp_path / "fae_t2", settings_of_bundle(trained, "fae", "t2"))
    config = config_applying(folder)
    assert config["models"]["fae"]["pretrained"] is None
    assert config["methods"]["fae"]["score"] == OWN_MAP
