"""A wrong config stops the run with one line that names the key and says what to do."""

import pytest
import yaml
from bare_bundle import bare_bundle
from small_study import PAPER

from brainuad.config.bundles import settings_of_bundle
from brainuad.config.reading import read_config
from conftest import PROJECT, demo_config, make_working_directory, merged

# One for each way in which a config is looked at; tests/config has all the keys.
CASES = {
    "wrong value": ({"device": "gpu"}, "device: 'gpu' is not one of"),
    "wrong reference": (
        {"datasets": {"wmh": {"layout": "whm"}}},
        "datasets.wmh.layout: 'whm' is not one of",
    ),
    "no released lists": (
        {"datasets": {"wmh": {"splits": {"folder": "lists", "name": "WMH"}}}},
        "datasets.wmh.splits.folder: there is no WMH_*.csv below 'lists'",
    ),
    "no such folder": (
        {"phantoms": None, "template": {"image": None}},
        "root: there is no folder 'resources/phantoms/",
    ),
    "no such template": (
        {"phantoms": None},
        "template.image: there is no file 'resources/phantoms/",
    ),
    "template without a head": (
        {"head_template": None},
        "skull_stripping is 'template', which needs head_template",
    ),
    "no such network for LPIPS": (
        {"evaluation": {"perceptual": {"weights": "resnet.pth", "sha256": None}}},
        "evaluation.perceptual.weights: there is no file 'resnet.pth'",
    ),
    "no such reference run": (
        {"reference_run": {"name": "as released", "folder": "elsewhere"}},
        "reference_run.folder: there is no 'elsewhere/results/report/tables/segmentation.tsv'",
    ),
}


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES.keys())
def test_one_line_names_the_key(tmp_path, snakemake, changes, expected):
    directory = make_working_directory(tmp_path / "study", merged(demo_config(), changes))
    done = snakemake(directory, "--dry-run", check=False)
    assert done.returncode != 0
    printed = done.stdout + done.stderr
    assert len([line for line in printed.splitlines() if expected in line]) == 1, printed


def test_the_same_key_twice_is_named_also_in_a_file_of_the_command_line(tmp_path, snakemake):
    directory = make_working_directory(tmp_path / "study", demo_config())
    own, other = directory / "config" / "config.yaml", tmp_path / "other.yaml"
    other.write_text("gpu:\n  compile: true\n  compile: false\n", encoding="utf-8")
    done = snakemake(directory, "--dry-run", "--configfile", str(other), check=False)
    line = f"{other}, line 3: the key gpu.compile appears twice, first in line 2"
    assert line in done.stdout + done.stderr
    with own.open("a", encoding="utf-8") as file:
        file.write("folds: 2\n")
    done = snakemake(directory, "--dry-run", check=False)
    assert "the key folds appears twice" in done.stdout + done.stderr


def test_an_empty_config_is_the_papers(tmp_path, snakemake):
    directory = make_working_directory(tmp_path / "study", {})
    (directory / "config" / "config.yaml").write_text("# nothing yet\n", encoding="utf-8")
    done = snakemake(directory, "--dry-run", check=False)
    assert "there is no folder 'resources/data/" in done.stdout + done.stderr


def test_a_password_is_not_repeated(tmp_path, snakemake):
    values = merged(demo_config(), {"datasets": {"wmh": {"password": "swordfish"}}})
    done = snakemake(make_working_directory(tmp_path / "study", values), "--dry-run", check=False)
    assert "swordfish" not in done.stdout + done.stderr


def test_defaults_are_not_said_where_the_workflow_itself_is_run(tmp_path, snakemake):
    """In its folder config/config.yaml holds the defaults, which no bundle need agree with."""
    trained = read_config({"seed": 7}, PAPER)
    bundle = bare_bundle(tmp_path / "t2", settings_of_bundle(trained, "cddpm_ens", "t2"))
    (tmp_path / "mslub").mkdir()
    values = {"bundle": str(bundle), "datasets": {"mslub": {"root": str(tmp_path / "mslub")}}}
    config = tmp_path / "apply.yaml"
    config.write_text(yaml.safe_dump(values), encoding="utf-8")
    files = ["--configfile", str(config), "--", "results/splits/mslub/fold0.tsv"]
    done = snakemake(PROJECT, "--dry-run", *files)
    assert "split_folds" in done.stdout + done.stderr
