"""What a config describes, under the names of the field."""

import re
from types import SimpleNamespace

import pytest
from small_study import study_of

from brainuad.io.errors import SettingsError
from brainuad.plan.grids import Grid
from brainuad.plan.models import ModelsPlan
from brainuad.plan.results import ResultsPlan
from brainuad.plan.study import Cohort, asked_of_part, asked_part
from brainuad.plan.targets import Targets


def test_cohorts_are_data_sets_in_one_modality():
    study = study_of()
    assert [cohort.name for cohort in study.healthy_cohorts] == ["ixi_t1", "ixi_t2"]
    assert [cohort.name for cohort in study.lesion_cohorts_in("t1")] == ["atlas_t1", "wmh_t1"]
    assert study.training_cohort("t2") == Cohort("ixi", "t2")
    assert study.modalities == ["t1", "t2"]


def test_patients_with_two_modalities_are_two_cohorts():
    study = study_of({"datasets": {"brats21": {"modalities": ["t1", "t2"]}}})
    names = [cohort.name for cohort in study.lesion_cohorts]
    assert names == ["brats21_t1", "brats21_t2", "mslub_t2", "atlas_t1", "wmh_t1"]


def test_patients_without_masks_are_not_scored():
    study = study_of({"datasets": {"wmh": {"lesion_masks": False, "validation": 0}}})
    assert "wmh_t1" not in [cohort.name for cohort in study.lesion_cohorts]
    assert "wmh_t1" in study.cohorts


def test_findings_are_written_of_patients_without_masks_and_where_asked_for():
    changes = {
        "mslub": {"native": True},
        "wmh": {"lesion_masks": False, "validation": 0, "stratify": None},
    }
    study = study_of({"datasets": changes})
    assert [cohort.name for cohort in study.derived_cohorts] == ["mslub_t2", "wmh_t1"]
    everything = Targets(study).everything()
    for cohort in ("wmh_t1", "mslub_t2"):
        assert f"results/derivatives/{cohort}" in everything
        assert f"results/report/scans/{cohort}" in everything
    assert "results/report/scans/index.html" in everything
    assert "results/derivatives/mslub_t2" in Targets(study).of_dataset("mslub")(None)
    plan = ResultsPlan(study)
    thresholds = {
        name: plan.threshold_of_maps(SimpleNamespace(cohort=name))
        for name in ("mslub_t2", "wmh_t1")
    }
    assert thresholds == {
        "mslub_t2": "results/thresholds/cddpm_ens_z/fold0/mslub_t2.json",
        "wmh_t1": "results/healthy_residuals/cddpm_ens_z/fold0/ixi_t1.json",
    }


@pytest.mark.parametrize("method", ["cddpm_ssl_ens", "cddpm_mahalanobis", "svae", "thresh", "fae"])
def test_what_derivatives_read_of_a_model_is_kept_and_nothing_else(method):
    study = study_of({"evaluation": {"maps_method": method}})
    plan = ResultsPlan(study)
    patterns = plan.wildcards_of_derived()

    def is_kept(path: str) -> bool:
        _, _, *parts, _ = path.split("/")
        wanted = (patterns["model"], patterns["asked"], f"fold{patterns['fold']}")
        return all(map(re.fullmatch, wanted, parts))

    read = plan.reconstructions_of_maps(SimpleNamespace(cohort="mslub_t2"))
    assert (method in ("thresh", "fae")) == (read == [])
    assert all(map(is_kept, [read] if read else []))
    for other in study.all_methods.values():
        same = (other.model, other.asked) == (study.maps_method.model, study.maps_method.asked)
        for fold in study.folds:
            kept = other.reconstructs and same and fold == study.first_fold
            assert is_kept(other.reconstructions(fold, "mslub_t2")) == kept


def test_a_model_that_nothing_asks_for_is_not_trained():
    study = study_of()
    assert study.models == ["ddpm", "ae", "dae", "cddpm", "cddpm_ssl"]
    assert study.starts_from_spark
    fewer = {"evaluation": {"methods": ["thresh"], "maps_method": "thresh", "later_methods": []}}
    fewer["evaluation"]["comparison"] = {"reference": "thresh"}
    fewer["experiments"] = {
        **{name: {"models": []} for name in ("timesteps", "conditioning")},
        **{name: {"methods": []} for name in ("contrast", "histograms", "postprocessing")},
    }
    assert study_of(fewer).models == []


@pytest.mark.parametrize(("version", "other"), [(1, 2), (2, 1)])
def test_skulls_are_stripped_by_the_version_of_hdbet_that_is_asked_for(version, other):
    study = study_of(
        {"hdbet": {"version": version}, "datasets": {"wmh": {"skull_stripping": "hdbet"}}}
    )
    assert study.stripped_by(f"hdbet{version}") == [Cohort("wmh", "t1")]
    assert study.stripped_by(f"hdbet{other}") == []
    assert Cohort("brats21", "t2") in study.stripped_by("none", "template")


def test_experiments_are_on_cohorts_of_the_run():
    study = study_of({"datasets": {"brats21": None}})
    cohorts = study.cohorts_of_experiment("histograms")
    assert [cohort.name for cohort in cohorts] == ["ixi_t2"]


@pytest.mark.parametrize(
    ("timesteps", "samples", "part"),
    [
        ([500], 1, "t500"),
        ([250, 500, 750], 1, "t250-500-750"),
        ([500], 10, "t500x10"),
        ([250, 500], 2, "t250-500x2"),
        ([], 1, "one_pass"),
    ],
)
def test_how_a_model_is_asked_is_a_part_of_paths(timesteps, samples, part):
    assert asked_part(timesteps, samples) == part
    assert asked_of_part(part) == (timesteps, samples)


def test_a_method_of_several_samples_has_reconstructions_of_its_own():
    method = {"label": "Ten", "colour": "#e69f00", "model": "cddpm", "timesteps": [500]}
    method |= {"samples": 10, "score": {"kind": "absolute"}}
    study = study_of({"methods": {"ten": method}, "evaluation": {"maps_method": "ten"}})
    path = SimpleNamespace(method="ten", fold="0", cohort="brats21_t2")
    results, models = ResultsPlan(study), ModelsPlan(study)
    file = "results/reconstructions/cddpm/t500x10/fold0/brats21_t2.npz"
    assert results.reconstructions(path) == file
    assert results.wildcards_of_derived()["asked"] == "t500x10"
    asked = SimpleNamespace(model="cddpm", asked="t500x10")
    assert (models.timesteps(asked), models.samples(asked)) == ([500], 10)
    assert models.samples_of_method(path) == 10
    assert models.settings_of_models()["cddpm"]["samples"] == 10
    assert study.samples_asked_of("ddpm") == 1


def test_what_only_a_model_has_is_refused_in_one_line():
    study, path = study_of(), SimpleNamespace(method="thresh", fold="0", cohort="ixi_t2")
    assert (
        ResultsPlan(study).reconstructions(path) == ModelsPlan(study).weights_of_method(path) == []
    )
    for needed in (ResultsPlan(study).needed_reconstructions, ModelsPlan(study).needed_weights):
        with pytest.raises(SettingsError, match="thresh has no reconstructions; ask for ae"):
            needed(path)
        assert "/fold0/" in needed(SimpleNamespace(method="ae", fold="0", cohort="ixi_t2"))


@pytest.mark.parametrize("score", [{"kind": "own_map"}, "z"])
def test_a_map_of_the_models_own_is_read_and_is_no_reconstruction(score):
    if score == "z":
        score = study_of().config["methods"]["zscore"]["score"] | {"of": {"kind": "own_map"}}
    study = study_of(
        {"methods": {"fae": {"score": score}}, "evaluation": {"later_methods": ["fae"]}}
    )
    results, models = ResultsPlan(study), ModelsPlan(study)
    path = SimpleNamespace(method="fae", fold="0", cohort="ixi_t2")
    assert results.reconstructions(path) == "results/reconstructions/fae/one_pass/fold0/ixi_t2.npz"
    assert models.weights_of_method(path) == "results/models/fae/t2/fold0/weights.pt"
    assert "fae" in study.models
    for named in (study.with_model, study.reconstructing):
        assert named and "fae" not in [method.name for method in named]
    for needed in (results.needed_reconstructions, models.needed_weights):
        with pytest.raises(SettingsError, match=r"methods\.fae has no reconstructions; ask for ae"):
            needed(path)


def test_models_that_start_from_spark_share_an_encoder_whatever_follows_it():
    study = study_of({"evaluation": {"later_methods": ["fae"]}})
    plan = ModelsPlan(study)
    encoder = study.config["models"]["fae"]["settings"]["encoder"]
    network = plan.spark_settings()["network"]
    assert encoder.items() <= network.items()
    assert "condition_width" not in network
    study.config["models"]["fae"]["settings"]["encoder"] = encoder | {"width": 8}
    with pytest.raises(SettingsError, match="cddpm_ssl, fae must have the same encoder"):
        plan.spark_settings()


@pytest.mark.parametrize("asked", ["one_pass", "t1001", "t500-1001"])
def test_a_model_asked_as_it_cannot_be_is_refused_in_one_line(asked):
    models = ModelsPlan(study_of())
    assert models.timesteps(SimpleNamespace(model="cddpm", asked="t250-1000")) == [250, 1000]
    assert models.timesteps(SimpleNamespace(model="ae", asked="one_pass")) == [1]
    with pytest.raises(
        SettingsError, match="cddpm reconstructs from timesteps up to 1000, as in t500"
    ):
        models.timesteps(SimpleNamespace(model="cddpm", asked=asked))


def test_grid_lists_each_combination_once_and_cohorts_last():
    study = study_of({"folds": 2})
    grid = Grid.of(study.methods[:2], study.folds, study.lesion_cohorts_in("t1"))
    assert grid.files("results/scores")[:3] == [
        "results/scores/thresh/fold0/atlas_t1.tsv",
        "results/scores/thresh/fold0/wmh_t1.tsv",
        "results/scores/thresh/fold1/atlas_t1.tsv",
    ]
    lists = grid.lists()
    assert {len(values) for values in lists.values()} == {8}
    assert lists["datasets"][:2] == ["atlas", "wmh"]


def test_one_data_set_alone_needs_no_other():
    files = Targets(study_of()).of_dataset("mslub")(None)
    assert not [file for file in files if "brats21" in file or "_t1" in file]
    assert "results/derivatives/mslub_t2" in files
    assert "results/scores/cddpm_ens/fold0/mslub_t2.tsv" in files


def test_experiments_without_a_cohort_train_nothing():
    nothing = {"lesion_masks": False, "validation": 0, "stratify": None}
    sets = dict.fromkeys(("brats21", "mslub", "atlas")) | {"wmh": nothing}
    changes = {"datasets": sets, "evaluation": {"methods": ["thresh"], "maps_method": "ae"}}
    changes["evaluation"]["comparison"] = {"reference": "thresh"}
    study = study_of(changes)
    # Histograms and conditioning have healthy scans to look at.
    assert list(study.experiments) == ["conditioning", "histograms"]
    assert study.models == ["ddpm", "ae", "cddpm"]


def test_a_model_is_tried_at_the_last_timestep_that_it_is_asked_at():
    study = study_of()
    assert study.timesteps_asked_of("cddpm") == {200, 250, 400, 500, 600, 750, 800, 1000}
    assert study.timesteps_asked_of("cddpm_ssl") == {250, 500, 750}
    assert study.timesteps_asked_of("ae") == set()


def test_an_encoder_is_pretrained_also_for_a_model_that_no_table_asks_for():
    rows = {"methods": ["thresh"], "maps_method": "ae", "comparison": {"reference": "thresh"}}
    study = study_of({"evaluation": rows, "experiments": {"postprocessing": {"methods": []}}})
    assert not study.starts_from_spark
    encoder = study.config["models"]["cddpm_ssl"]["settings"]["encoder"]
    assert ModelsPlan(study).spark_settings()["network"]["width"] == encoder["width"]
