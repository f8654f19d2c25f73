"""The register: what is there for which study, and from what it is made."""

import os
from types import SimpleNamespace

import pytest
from colour_vision import smallest_distance
from small_report import REGISTER, SMALL, WITHOUT_EXPERIMENTS, register_of
from small_study import merged, study_of

from brainuad.io.errors import SettingsError
from brainuad.plan.raw_files import state_of
from brainuad.plan.register.files import table_file

WITHOUT_MASKS = {"lesion_masks": False, "validation": 0, "stratify": None}


def test_every_entry_has_its_code_and_a_place_on_the_page():
    entries = [*REGISTER.tables.values(), *REGISTER.figures.values()]
    assert all(entry.code.is_file() for entry in entries)
    parts = [
        part for each in REGISTER.sections.values() for section in each for part in section["parts"]
    ]
    assert [part["table"] for part in parts if part["table"]] == list(REGISTER.tables)
    shown = [figure["name"] for part in parts for figure in part["figures"]]
    assert sorted(shown) == sorted(REGISTER.figures)


def test_the_main_table_and_one_panel_stand_first():
    (first,) = REGISTER.sections["first"]
    table, panel = first["parts"]
    assert table["table"] == "segmentation"
    assert [figure["name"] for figure in panel["figures"]] == ["panel_mslub_t2"]
    (pictures,) = [each for each in REGISTER.sections["results"] if each["name"] == "pictures"]
    assert [figure["name"] for figure in pictures["parts"][0]["figures"]] == ["panel_wmh_t1"]


def test_without_lesion_masks_the_scans_stand_first():
    register = register_of(datasets={"mslub": WITHOUT_MASKS, "wmh": WITHOUT_MASKS})
    (first,) = register.sections["first"]
    assert [part["table"] for part in first["parts"]] == ["anomalies"]
    (scans,) = [each for each in register.sections["results"] if each["name"] == "scans"]
    assert scans["leads_to"][0] == "scans/index.html" and scans["parts"] == []


def test_rows_are_methods_folds_and_cohorts_in_this_order():
    table = REGISTER.tables["segmentation"]
    assert table.inputs["scores"][:5] == [
        "results/scores/thresh/fold0/mslub_t2.tsv",
        "results/scores/thresh/fold0/wmh_t1.tsv",
        "results/scores/thresh/fold1/mslub_t2.tsv",
        "results/scores/thresh/fold1/wmh_t1.tsv",
        "results/scores/ae/fold0/mslub_t2.tsv",
    ]
    assert table.params["methods"][:5] == ["thresh"] * 4 + ["ae"]
    assert table.params["folds"][:5] == [0, 0, 1, 1, 0]
    assert table.params["datasets"][:5] == ["mslub", "wmh", "mslub", "wmh", "mslub"]


def test_healthy_cohorts_come_first_and_methods_without_a_model_reconstruct_nothing():
    table = REGISTER.tables["reconstruction"]
    assert table.inputs["scores"][:4] == [
        f"results/scores/ae/fold0/{name}.tsv" for name in ("ixi_t1", "ixi_t2", "mslub_t2", "wmh_t1")
    ]
    assert "thresh" not in table.params["methods"]


@pytest.mark.parametrize("name", ["histograms", "timesteps"])
def test_what_varies_a_value_has_a_file_for_each(name):
    entry = (REGISTER.tables | REGISTER.figures)[name]
    files = entry.inputs["scores"]
    assert (
        files[:3]
        == {
            "histograms": [
                "results/histograms/ddpm/gamma0.5/fold0/ixi_t2.tsv",
                "results/histograms/ddpm/gamma1/fold0/ixi_t2.tsv",
                "results/histograms/ddpm/gamma0.5/fold0/mslub_t2.tsv",
            ],
            "timesteps": [
                "results/timesteps/ddpm/t250/fold0/mslub_t2.tsv",
                "results/timesteps/ddpm/t500/fold0/mslub_t2.tsv",
                "results/timesteps/ddpm/t250/fold0/wmh_t1.tsv",
            ],
        }[name]
    )
    lists = [entry.params[key] for key in ("methods", "folds", "datasets")]
    assert [len(values) for values in lists] == [len(files)] * 3
    assert [values[2] for values in lists] == ["ddpm", 0, files[2].split("/")[-1].split("_")[0]]


def test_figures_of_a_cohort_read_the_first_fold():
    figure = REGISTER.figures["panel_wmh_t1"]
    # DDPM stands alone; cDDPM gives way to the method of its model with more timesteps, but not to
    # one that scores otherwise.
    later = ["cddpm_ens_ssim", "cddpm_mahalanobis", "cddpm_ens_z"]
    assert figure.params["methods"] == ["thresh", "ae", "ddpm", "cddpm_ens", *later]
    assert "reconstructions" not in figure.inputs, "they need not be there any more"
    curves = REGISTER.figures["precision_recall_wmh_t1"].params["methods"]
    assert curves == figure.params["methods"], "so many can be told apart without the others"


def test_methods_have_the_config_s_colours_in_all_figures_and_are_told_apart():
    drawn = [figure for figure in REGISTER.figures.values() if "styles" in figure.params]
    assert {figure.module for figure in drawn} == {
        *("precision_recall", "dice_by_volume", "timesteps", "histograms", "times", "froc"),
    }
    methods = study_of(merged(SMALL, {})).config["methods"]
    for figure in drawn:
        styles = figure.params["styles"]
        if figure.module == "timesteps":
            of_model = {block["model"]: block["colour"] for block in methods.values()}
            colours = {model: of_model[model] for model in styles}
        else:
            colours = {name: methods[name]["colour"] for name in styles}
        assert {name: style["colour"] for name, style in styles.items()} == colours
        looks = {
            (style["colour"], str(style["line"]), style["marker"]) for style in styles.values()
        }
        assert len(looks) == len(styles), figure.name
        # Points without lines are hollow where the line would be dashed.
        points = {(colour, line == "--", marker) for colour, line, marker in looks}
        assert len(points) == len(styles), figure.name
        if len(set(colours.values())) > 1:
            assert smallest_distance(sorted(set(colours.values()))) > 14


def test_experiments_without_methods_are_left_out():
    register = register_of(experiments=WITHOUT_EXPERIMENTS)
    gone = {"contrast", "histograms", "conditioning", "postprocessing"}
    assert set(REGISTER.tables) - set(register.tables) == gone
    assert set(REGISTER.figures) - set(register.figures) == {
        *("histograms_ixi_t2", "histograms_mslub_t2", "conditioning_ixi_t2", "timesteps"),
    }
    assert register.inputs_of_page["contrast"] == []
    claimed = register.tables["claims"].inputs["ours"]
    assert [path.split("/")[-1] for path in claimed] == [
        *("segmentation.tsv", "reconstruction.tsv", "times.tsv"),
    ]


def test_phantoms_are_not_compared_with_the_paper():
    assert {"claims", "compare_with_paper"} == set(REGISTER.tables) - set(
        register_of(phantoms={"ixi": {"subjects": 9}}).tables
    )


def test_the_reference_run_is_looked_for_when_its_table_is_asked_for(tmp_path):
    register = register_of(reference_run={"name": "as *it* was", "folder": str(tmp_path)})
    table = SimpleNamespace(table="compare_runs")
    with pytest.raises(SettingsError, match=r"reference_run\.folder: there is no '.*segmentation"):
        register.other_files_of_table(table)
    for name in ("segmentation", "reconstruction"):
        file = tmp_path / f"results/report/tables/{name}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert len(register.other_files_of_table(table)["reference"]) == 2
    assert r"**as \*it\* was**" in register.tables["compare_runs"].caption


def test_lpips_is_read_where_it_was_measured():
    weights = {"weights": "w.pt", "sha256": None}
    measured = register_of(evaluation={"perceptual": weights}).tables["reconstruction"]
    files = measured.inputs["scores"]
    assert files[-1] == "results/perceptual/cddpm_ens/fold1/ixi_t2.tsv"
    assert len(files) == len(measured.params["methods"])
    assert not any("perceptual" in file for file in REGISTER.tables["reconstruction"].inputs)


def test_a_data_set_of_several_lesion_cohorts_is_named_with_the_modality():
    register = register_of(datasets={"wmh": {"modalities": ["t1", "t2"]}})
    assert register.labels["several"] == ["wmh"]
    assert register.figures["panel_wmh_t2"].of == "WMH T2"
    assert register.figures["panel_mslub_t2"].of == "MSLUB"


def test_numbers_of_the_config_stand_in_captions():
    caption = REGISTER.tables["segmentation"].caption
    assert "95 % bootstrap interval" in caption and "(100 rounds, seed 2025)" in caption


def test_where_splits_come_from():
    datasets = {"mslub": WITHOUT_MASKS}
    sources = register_of(datasets=datasets).tables["splits"].params["sources"]
    assert sources[::2] == [
        "released lists in lists",
        "all subjects are tested (no lesion masks)",
        "drawn with seed 2025, in proportion to site",
    ]


def test_the_run_is_tabulated_last():
    results = REGISTER.tables["run"].inputs["results"]
    quality, scan_pages = 4, 1
    made = len(REGISTER.tables) - 1 + len(REGISTER.figures)
    assert len(results) == made + quality + scan_pages
    assert "results/report/scans/mslub_t2" in results
    assert REGISTER.tables["run"].params["trainings"][:3] == [
        *("ddpm/t1/fold0", "ddpm/t1/fold1", "ddpm/t2/fold0"),
    ]
    started = register_of(evaluation={"methods": ["cddpm_ens", "cddpm_ssl"]})
    assert started.tables["run"].params["trainings"][0] == "pretraining/t1/fold0"


def test_patterns_name_what_a_rule_makes_and_nothing_else():
    assert "segmentation" in REGISTER.pattern_of_tables().split("|")
    assert REGISTER.pattern_of_figures("plot_panel") == "panel_mslub_t2|panel_wmh_t1"
    datasets = {name: WITHOUT_MASKS for name in ("mslub", "wmh")}
    assert register_of(datasets=datasets).pattern_of_figures("plot_panel") == "(?!)"


def test_scans_whose_findings_are_written_have_pages_that_the_report_leads_to():
    assert REGISTER.inputs_of_page["scan_index"] == ["results/report/scans/index.html"]
    assert REGISTER.inputs_of_scan_index == {
        "derivatives": ["results/derivatives/mslub_t2"],
        "pages": ["results/report/scans/mslub_t2"],
    }
    (section,) = (each for each in REGISTER.sections["results"] if each["name"] == "scans")
    assert section["leads_to"][0] == "scans/index.html"
    none = register_of(datasets={"mslub": {"native": False}})
    assert none.inputs_of_page["scan_index"] == []
    assert "scans" not in [section["name"] for section in none.sections["results"]]


def test_files_from_elsewhere_are_no_inputs_but_their_state_counts(tmp_path):
    """A clock ahead, where another run was made, must not repeat the table at every run."""
    register = register_of(reference_run={"name": "other", "folder": str(tmp_path)})
    files = [tmp_path / table_file(name) for name in ("segmentation", "reconstruction")]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    places = [SimpleNamespace(table=name) for name in register.tables]
    for place in places:
        inputs, others = register.inputs_of_table(place), register.other_files_of_table(place)
        assert inputs | others == register.tables[place.table].inputs
        listed = [[files] if isinstance(files, str) else files for files in inputs.values()]
        assert all(file.startswith("results/") for files in listed for file in files)
    (place,) = (place for place in places if place.table == "compare_runs")
    assert register.other_files_of_table(place) == {"reference": [str(file) for file in files]}
    before = register.state_of_table(place)
    os.utime(files[1], (0, 0))
    state_of.cache_clear()
    assert register.state_of_table(place) != before
