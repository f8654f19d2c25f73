"""A config that names a bundle: what it brings, what may not be said beside it, what is planned."""

import shutil
from types import SimpleNamespace

import pytest
import yaml
from bare_bundle import bare_bundle
from bare_bundle import config_applying as read
from small_study import PAPER, PROJECT, demo_values, merged

from brainuad.config.bundles import settings_of_bundle
from brainuad.config.reading import read_config
from brainuad.io.errors import SettingsError
from brainuad.plan.bundles import BundlesPlan
from brainuad.plan.models import ModelsPlan
from brainuad.plan.register import Register
from brainuad.plan.results import ResultsPlan
from brainuad.plan.study import Study
from brainuad.plan.targets import Targets

WILDCARDS = SimpleNamespace(cohort="mine_t2", method="cddpm_ens", model="cddpm", fold=0)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    trained = read_config(demo_values(), PAPER)
    folder = tmp_path_factory.mktemp("bundles") / "cddpm_ens_t2"
    return bare_bundle(folder, settings_of_bundle(trained, "cddpm_ens", "t2"))


def test_the_bundle_brings_what_was_trained(bundle):
    config, trained = read(bundle), read_config(demo_values(), PAPER)
    for key in ("spacing", "registration", "bias_correction", "normalization", "keep_last_slice"):
        assert config["preprocessing"][key] == trained["preprocessing"][key]
    assert config["models"] == {"cddpm": trained["models"]["cddpm"]}
    assert config["methods"] == {"cddpm_ens": trained["methods"]["cddpm_ens"]}
    assert config["evaluation"]["methods"] == ["cddpm_ens"]
    assert config["evaluation"]["postprocessing"] == trained["evaluation"]["postprocessing"]
    assert config["template"]["image"] == "results/bundle/template/brain.nii.gz"
    assert (config["seed"], config["folds"]) == (trained["seed"], 1)
    assert list(config["datasets"]) == ["mine"], "the paper's data sets are not in the run"


def test_a_path_to_a_pretrained_encoder_is_not_given_away():
    config = read_config(demo_values(), PAPER)
    config["models"]["cddpm_ssl"]["pretrained"] = "/home/somebody/encoder.pt"
    settings = settings_of_bundle(config, "cddpm_ssl_ens", "t1")
    assert settings["models"]["cddpm_ssl"]["pretrained"] is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preprocessing": {"spacing": 1.5}}, "preprocessing.spacing: 1.5 is not what the bundle"),
        (
            {"preprocessing": {"registration": {"transform": "Rigid"}}},
            "preprocessing.registration.transform: 'Rigid' is not what the bundle",
        ),
        (
            {"evaluation": {"postprocessing": {"median_size": 7}}},
            "evaluation.postprocessing.median_size: 7 is not what the bundle",
        ),
        ({"template": {"image": "mine.nii.gz"}}, "template.image: 'mine.nii.gz' is not what"),
        ({"seed": 5}, "seed: 5 is not what the bundle"),
        ({"folds": 3}, "folds: 3 is not what the bundle"),
        ({"models": {"ddpm": {"training": {"steps": 9}}}}, "models.ddpm.training.steps: 9 is not"),
        ({"evaluation": {"methods": ["ddpm"]}}, "evaluation.methods: ['ddpm'] is not what"),
        (
            {"experiments": {"contrast": {"methods": ["thresh"]}}},
            "experiments.contrast.methods: ['thresh'] is not what",
        ),
        (
            {"models": {"cddpm": {"training": {"steps": 19200}}}},
            "models.cddpm.training.steps: 19200",
        ),
    ],
)
def test_another_value_is_refused_by_its_name(bundle, changes, message):
    with pytest.raises(SettingsError) as caught:
        read(bundle, **changes)
    assert str(caught.value).startswith(f"config: {message}")
    assert "leave the key out" in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_no_matter_of_the_model_may_be_said(bundle):
    changes = {
        "preprocessing": {"scans_per_job": 2, "spacing": 2.0},
        "evaluation": {"bootstrap": {"rounds": 100}},
        "threads_per_training": 1,
    }
    config = read(bundle, **changes)
    assert config["preprocessing"]["scans_per_job"] == 2
    assert config["evaluation"]["bootstrap"]["rounds"] == 100


@pytest.mark.parametrize(
    ("mine", "message"),
    [
        ({"modalities": ["t1"]}, "modalities: the bundle is for t2, not for t1"),
        ({"modalities": ["t2", "flair"]}, "modalities: the bundle is for t2, not for flair"),
        ({"healthy": True}, "healthy: with a bundle nothing is trained"),
        ({"lesion_masks": True, "validation": 3}, "validation: with a bundle no threshold is"),
    ],
)
def test_data_sets_that_a_bundle_does_not_fit(bundle, mine, message):
    with pytest.raises(SettingsError, match=f"^config: datasets.mine.{message}"):
        read(bundle, mine=mine)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"datasets": None}, "datasets: expected keys with values, got None"),
        ({"datasets": ["mine"]}, "datasets: expected keys with values, got ['mine']"),
        ({"datasets": {"mine": 3}}, "datasets.mine: expected keys with values, got 3"),
        ({"preprocessing": None}, "preprocessing: expected keys with values, got None"),
        ({"preprocessing": {"spacing": "wide"}}, "preprocessing.spacing: expected a number"),
        ({"template": None}, "template: expected keys with values, got None"),
        ({"evaluation": {"comparison": 3}}, "evaluation.comparison: expected keys with values"),
        ({"experiments": {"contrast": None}}, "experiments.contrast: expected keys with values"),
        ({"datasets": {"mine": {"modalities": 3}}}, "datasets.mine.modalities: expected a list"),
        ({"datasets": {"mine": {"modalities": "t2"}}}, "datasets.mine.modalities: expected a"),
    ],
)
def test_a_malformed_config_is_told_as_without_a_bundle(bundle, changes, message):
    with pytest.raises(SettingsError) as caught:
        read(bundle, **changes)
    assert str(caught.value).startswith(f"config: {message}") and "\n" not in str(caught.value)


def test_without_scans_there_is_nothing_to_apply_it_to(bundle):
    with pytest.raises(SettingsError, match="datasets: name the scans"):
        read_config({"bundle": str(bundle)}, PAPER)


@pytest.mark.parametrize("path", ["nowhere", 3])
def test_a_bundle_that_is_none(path):
    with pytest.raises(SettingsError, match=r"^config: bundle"):
        read(path) if path == "nowhere" else read_config({"bundle": path}, PAPER)


def test_a_bundle_is_not_applied_where_it_was_trained(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(bundle, "results/bundles/cddpm_ens_t2")
    with pytest.raises(SettingsError, match="lies in the results of this working directory"):
        read("results/bundles/cddpm_ens_t2")


DAMAGED = {
    "no keys": (dict.clear, "BundleSettings: the key 'modality' is missing"),
    "two methods": (
        lambda settings: settings["methods"].update(other=settings["methods"]["cddpm_ens"]),
        "methods: expected keys with values of 1",
    ),
    "no method": (lambda settings: settings["methods"].clear(), "methods: expected keys with"),
    "missing key": (
        lambda settings: settings["preprocessing"]["normalization"].pop("size"),
        "preprocessing.normalization: the key 'size' is missing",
    ),
    "preprocessing that is none": (
        lambda settings: settings.update(preprocessing=None),
        "preprocessing: expected keys with values, got None",
    ),
    "unknown key": (lambda settings: settings.update(code="x"), "code: unknown key"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_settings_with_the_right_checksum_may_be_damaged(tmp_path, case):
    change, message = DAMAGED[case]
    settings = settings_of_bundle(read_config(demo_values(), PAPER), "cddpm_ens", "t2")
    change(settings)
    other = bare_bundle(tmp_path / "other", settings)
    with pytest.raises(SettingsError) as caught:
        read(other)
    expected = f"config: bundle {other}: configs/settings.json is damaged ({message}"
    assert str(caught.value).startswith(expected) and "\n" not in str(caught.value)


def test_results_come_from_the_files_of_the_bundle(bundle):
    study = Study(read(bundle))
    results, method = ResultsPlan(study), study.maps_method
    taken = "results/bundle"
    assert ModelsPlan(study).weights(WILDCARDS) == f"{taken}/models/model.safetensors"
    assert results.healthy_threshold_of(method, "t2", 0) == f"{taken}/thresholds/healthy.json"
    assert results.healthy_residuals_of_derived(WILDCARDS) == f"{taken}/healthy/residuals.npz"
    assert results.partitions(WILDCARDS) == ["test"]
    read_files = {*BundlesPlan(study).taken()}
    assert read_files == {
        f"{taken}/{name}"
        for name in (
            "healthy/residuals.npz",
            "models/model.safetensors",
            "template/brain.nii.gz",
            "thresholds/healthy.json",
        )
    }
    assert BundlesPlan(study).folder() == [str(bundle)]


def test_scans_with_masks_are_scored_at_the_threshold_of_the_bundle(bundle):
    study = Study(read(bundle, mine={"lesion_masks": True}))
    results = ResultsPlan(study)
    assert results.given_threshold(WILDCARDS) == "results/bundle/thresholds/healthy.json"
    assert results.fitted_threshold() == {}
    tables, figures = _shown(study)
    assert tables == {
        *("segmentation", "lesions", "subgroups", "anomalies", "splits", "left_out", "run")
    }
    assert figures == {"precision_recall_mine_t2", "dice_by_volume", "panel_mine_t2", "froc"}


def test_the_report_shows_what_there_is(bundle):
    study = Study(read(bundle))
    tables, figures = _shown(study)
    assert tables == {"anomalies", "splits", "left_out", "run"} and not figures
    assert study.models == [] and not study.healthy
    assert Targets(study).everything() == [
        "results/report/index.html",
        "results/derivatives/mine_t2",
        "results/report/scans/mine_t2",
        "results/report/scans/index.html",
    ]


def _shown(study: Study) -> tuple[set[str], set[str]]:
    register = Register(study, snakemake="9")
    return set(register.tables), set(register.figures)


def test_a_run_that_trains_takes_its_own_files():
    study = Study(read_config(demo_values(), PAPER))
    results, method = ResultsPlan(study), study.all_methods["cddpm_ens"]
    threshold = results.healthy_threshold_of(method, "t2", 0)
    assert threshold == "results/healthy_residuals/cddpm_ens/fold0/ixi_t2.json"
    residuals = results.healthy_residuals_of(method, "t2", 0)
    assert residuals == "results/healthy_residuals/cddpm_ens/fold0/ixi_t2.npz"
    assert BundlesPlan(study).default() == [
        "results/bundles/cddpm_ens_z_t1",
        "results/bundles/cddpm_ens_z_t2",
    ]


def test_healthy_scans_set_a_threshold_where_no_patient_has_masks():
    """Who trains on healthy scans alone can still give a bundle away."""
    patients = ("brats21", "mslub", "atlas", "wmh")
    nothing = {name: {"lesion_masks": False, "validation": 0} for name in patients}
    study = Study(read_config(merged(demo_values(), {"datasets": nothing}), PAPER))
    wildcards = SimpleNamespace(cohort="ixi_t2", method="cddpm_ens", modality="t2")
    assert ResultsPlan(study).partitions(wildcards) == ["validation", "test"]
    assert BundlesPlan(study).inputs(wildcards)["thresholds"] == []


def test_the_demo_applies_its_bundle(bundle):
    values = yaml.safe_load((PROJECT / "demo/config/apply.yaml").read_text(encoding="utf-8"))
    assert values["bundle"] == "../results/bundles/cddpm_ens_z_t2"
    config = read_config(values | {"bundle": str(bundle)}, PAPER)
    assert list(config["datasets"]) == ["clinic"] and config["phantoms"]["clinic"]["subjects"] == 2
