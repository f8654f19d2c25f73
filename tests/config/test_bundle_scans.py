"""Scans that a bundle is applied to: public ones by default names, stripped as in training."""

import pytest
import yaml
from bare_bundle import MINE, bare_bundle
from bare_bundle import config_applying as read
from small_study import PAPER, PROJECT

from brainuad.config.bundles import settings_of_bundle
from brainuad.config.reading import read_config
from brainuad.io.errors import SettingsError


@pytest.fixture(scope="module")
def stripped_by_hdbet(tmp_path_factory):
    """A bundle of a run on real scans, with version 2 and without weights in N4."""
    changes = {"hdbet": {"version": 2}, "datasets": {"ixi": {"weighted_bias_correction": False}}}
    trained = read_config(changes, PAPER)
    folder = tmp_path_factory.mktemp("bundles") / "hdbet"
    return bare_bundle(folder, settings_of_bundle(trained, "cddpm_ens", "t2"))


def test_scans_are_stripped_and_corrected_as_those_in_training(stripped_by_hdbet):
    mine = {key: value for key, value in MINE.items() if key != "skull_stripping"}
    values = {"bundle": str(stripped_by_hdbet), "datasets": {"mine": mine}}
    config = read_config(values | {"hdbet": {"networks": None, "mirroring": True}}, PAPER)
    assert config["datasets"]["mine"]["skull_stripping"] == "hdbet"
    assert config["datasets"]["mine"]["weighted_bias_correction"] is False
    assert (config["hdbet"]["version"], config["hdbet"]["mirroring"]) == (2, True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hdbet": {"version": 1}}, "hdbet.version: 1 is not what the bundle"),
        (
            {"datasets": {"mine": {"skull_stripping": "template"}}},
            "datasets.mine.skull_stripping: 'template' is not what the bundle",
        ),
        (
            {"datasets": {"mine": {"weighted_bias_correction": True}}},
            "datasets.mine.weighted_bias_correction: True is not what the bundle",
        ),
    ],
)
def test_another_way_to_strip_and_correct_is_refused(stripped_by_hdbet, changes, message):
    with pytest.raises(SettingsError) as caught:
        read(stripped_by_hdbet, **changes)
    assert str(caught.value).startswith(f"config: {message}") and "\n" not in str(caught.value)


def test_scans_that_come_stripped_stay_so(stripped_by_hdbet):
    brats = {"bundle": str(stripped_by_hdbet), "datasets": {"brats21": {"root": "scans"}}}
    config = read_config(brats, PAPER)
    assert config["datasets"]["brats21"]["skull_stripping"] == "none"
    assert read(stripped_by_hdbet)["datasets"]["mine"]["skull_stripping"] == "none"


@pytest.mark.parametrize(
    "ixi",
    [
        {"skull_stripping": "none"},
        {"layout": "preprocessed", "part": "Train/ixi", "weighted_bias_correction": False},
    ],
    ids=["stripped", "preprocessed"],
)
def test_where_training_scans_came_stripped_the_config_says_how(tmp_path, ixi):
    trained = read_config({"datasets": {"ixi": ixi}, "hdbet": {"version": 2}}, PAPER)
    settings = settings_of_bundle(trained, "cddpm_ens", "t2")
    config = read(bare_bundle(tmp_path / "stripped", settings), mine={"skull_stripping": "hdbet"})
    assert config["datasets"]["mine"]["skull_stripping"] == "hdbet"
    assert config["datasets"]["mine"]["weighted_bias_correction"] is True
    assert config["hdbet"]["version"] == 1


@pytest.mark.parametrize("root", ["/data/mslub", "resources/data/mslub"])
def test_a_public_data_set_is_applied_to_under_its_default_name(stripped_by_hdbet, root):
    """Also where it lies where the defaults look for it; what they say of its split is not said."""
    config = read_config(
        {"bundle": str(stripped_by_hdbet), "datasets": {"mslub": {"root": root}}}, PAPER
    )
    assert list(config["datasets"]) == ["mslub"]
    block = config["datasets"]["mslub"]
    assert (block["root"], block["layout"], block["label"]) == (root, "mslub", "MSLUB")
    assert block["lesion_labels"] == [1] and block["validation"] == 0


def test_a_share_that_only_the_defaults_keep_is_not_asked_of_the_scans(stripped_by_hdbet):
    wmh = {"modalities": ["t2"], "root": "scans"}
    config = read_config({"bundle": str(stripped_by_hdbet), "datasets": {"wmh": wmh}}, PAPER)
    assert config["datasets"]["wmh"]["stratify"] is None


def test_a_healthy_data_set_of_the_defaults_can_be_patients_here(stripped_by_hdbet):
    ixi = {"healthy": False, "lesion_masks": False, "modalities": ["t2"]}
    config = read_config(
        {"bundle": str(stripped_by_hdbet), "datasets": {"ixi": ixi, "mslub": None}}, PAPER
    )
    assert list(config["datasets"]) == ["ixi"] and config["datasets"]["ixi"]["test"] is None


def test_the_example_needs_nothing_but_scans_and_a_bundle(stripped_by_hdbet):
    values = yaml.safe_load((PROJECT / "config/apply.yaml").read_text(encoding="utf-8"))
    values["datasets"]["my_study"]["modalities"] = ["t2"]
    config = read_config(values | {"bundle": str(stripped_by_hdbet)}, PAPER)
    assert list(config["datasets"]) == ["my_study"]
