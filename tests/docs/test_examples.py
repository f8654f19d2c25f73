"""What the documents tell a reader to write works: configs, commands, a model, a score, ..."""

import importlib
import inspect
import re
import shlex
import shutil
import subprocess
import sys
from itertools import chain, product
from pathlib import Path

import numpy as np
import pytest
import yaml
from small_study import PAPER, PROJECT, merged, study_of

import brainuad.datasets.layouts
import brainuad.models
import brainuad.report.tables
import brainuad.scores
from brainuad.config import checks
from brainuad.config.reading import read_config
from brainuad.datasets.layouts import LayoutOptions, find_subjects
from brainuad.images.volumes import Volume, write_volume
from brainuad.scores import load_score
from brainuad.training.model_checks import check_model

sys.path.insert(0, str(PROJECT / "docs"))

import write_rules

PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("*/README.md")])
# The kinds that the examples add.
ADDED = {"models": "inpainting", "scores": "power"}
# An invisible line above a block that can't be tried here says why.
BLOCK = re.compile(r"^(<!-- not tried: .* -->\n)?```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# A page made from config.yaml, which has a test of its own.
EXCERPTS = {"docs/reference/config.md"}


def blocks(language: str) -> list:
    """The blocks of a language that are to be tried, each with where it stands."""
    return [
        pytest.param(text, id=f"{page.relative_to(PROJECT)}-{number}")
        for page in PAGES
        for number, (mark, found, text) in enumerate(
            BLOCK.findall(page.read_text(encoding="utf-8"))
        )
        if found == language and not mark and str(page.relative_to(PROJECT)) not in EXCERPTS
    ]


def blocks_of(page: str, language: str) -> list[str]:
    text = (PROJECT / "docs/how-to" / page).read_text(encoding="utf-8")
    return [block for _, found, block in BLOCK.findall(text) if found == language]


def added(monkeypatch, folder: Path, package, name: str, code: str) -> None:
    """Put a module into a package, as a reader puts a file into its folder."""
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, f"{package.__name__}.{name}", raising=False)


def run_block(code: str) -> dict:
    """The names that a block of Python defines."""
    defined: dict = {}
    exec(compile(code, "block.py", "exec"), defined)
    return defined


def test_blocks_of_code_are_known():
    """A block of Python has a test below; others are YAML, or a drawing."""
    found = {
        (page.name, language)
        for page in PAGES
        for _, language, _ in BLOCK.findall(page.read_text(encoding="utf-8"))
    }
    assert {page for page, language in found if language == "python"} == {
        "add_a_model.md",
        "add_a_score.md",
        "add_a_data_set.md",
        "add_a_table_or_figure.md",
    }
    assert {language for _, language in found} == {"python", "yaml", "mermaid"}


@pytest.mark.parametrize("text", blocks("yaml"))
def test_the_config_is_one_that_the_workflow_takes(text, monkeypatch):
    kinds = {room: [*checks.kinds_in(room), ADDED[room]] for room in ADDED}
    known = checks.kinds_in
    monkeypatch.setattr(checks, "kinds_in", lambda room: kinds.get(room) or known(room))
    said = yaml.safe_load(text)
    # A bundle brings keys of its own; here are only those of the file.
    without = {key: value for key, value in said.items() if key != "bundle"}
    if "bundle" in said:
        without["datasets"] = dict.fromkeys(PAPER["datasets"]) | without["datasets"]
        without["datasets"]["ixi"] = PAPER["datasets"]["ixi"]
    study = read_config(merged(PAPER, without), PAPER)
    assert set(said) <= set(PAPER)
    for name, block in said.get("datasets", {}).items():
        assert block is None or study["datasets"][name]["root"] == block["root"]


def test_the_model_keeps_its_promises(tmp_path, monkeypatch, capsys):
    code, tests = blocks_of("add_a_model.md", "python")
    (tmp_path / "package").mkdir()
    added(monkeypatch, tmp_path / "package", brainuad.models, "inpainting", code)
    given = {"tmp_path": tmp_path, "capsys": capsys}
    functions = [value for name, value in run_block(tests).items() if name.startswith("test_")]
    assert len(functions) == 3
    block = yaml.safe_load(blocks_of("add_a_model.md", "yaml")[0])["models"]["inpainting"]
    size = check_model(
        block["kind"], block["settings"], block["training"], size=(96, 96), timestep=1
    )
    assert size.parameters > 1000
    for number, function in enumerate(functions):
        given["tmp_path"] = tmp_path / str(number)
        given["tmp_path"].mkdir()
        function(**{name: given[name] for name in inspect.signature(function).parameters})


def test_the_score_is_what_its_name_says(tmp_path, monkeypatch):
    code, tests = blocks_of("add_a_score.md", "python")
    added(monkeypatch, tmp_path, brainuad.scores, "power", code)
    run_block(tests)["test_the_residual_is_squared"]()
    score = load_score({"kind": "power", "power": 3})
    found = score(np.float32([[[0.5]]]), np.float32([[[1.0]]]), np.ones((1, 1, 1), bool))
    assert found.tolist() == [[[0.125]]]


def test_the_layout_finds_the_subjects(tmp_path, monkeypatch):
    (code,) = blocks_of("add_a_data_set.md", "python")
    (tmp_path / "package").mkdir()
    added(monkeypatch, tmp_path / "package", brainuad.datasets.layouts, "clinics", code)
    root = tmp_path / "data"
    for name in ("Graz/007/T2", "Graz/007/lesions", "Linz/012/T2"):
        write_volume(Volume(np.ones((4, 4, 4), np.uint8), np.eye(4)), root / f"{name}.nii.gz")
    found = find_subjects("clinics", root, LayoutOptions(modalities=("t2",), lesions=True))
    assert [(raw.subject, raw.site) for raw in found] == [
        ("Graz_007", "Graz"),
        ("Linz_012", "Linz"),
    ]
    assert found[0].scans == {"t2": root / "Graz/007/T2.nii.gz"}
    assert [raw.seg for raw in found] == [root / "Graz/007/lesions.nii.gz", None]


def test_the_entry_is_one_of_the_register():
    code, *_ = blocks_of("add_a_table_or_figure.md", "python")
    entry = run_block(code)["precision"](study_of())
    tabulate = importlib.import_module(f"brainuad.report.tables.{entry.module}").tabulate
    # The columns method, dataset, ... are read together with the files of scores.
    parameters = {"scores", "bootstrap", "metrics", "shown"}
    assert parameters <= set(inspect.signature(tabulate).parameters)
    assert parameters <= set(entry.params) | set(entry.inputs)
    assert entry.inputs["scores"] and entry.code.is_file()


def test_the_table_with_a_file_of_its_own(tmp_path, monkeypatch):
    _, code, entry_code, tests = blocks_of("add_a_table_or_figure.md", "python")
    added(monkeypatch, tmp_path, brainuad.report.tables, "extremes", code)
    entry = run_block(entry_code)["extremes"](study_of())
    tabulate = importlib.import_module(f"brainuad.report.tables.{entry.module}").tabulate
    given = {*entry.inputs, *entry.params} - {"methods", "folds", "datasets"}
    assert given | {"labels"} == set(inspect.signature(tabulate).parameters)
    run_block(tests)["test_lowest_and_highest_of_the_metric"]()


# Commands.

VALUED = {"--directory", "--cores", "--resources", "--configfile", "--workflow-profile"}
SWITCHES = {
    *("--use-conda", "--dry-run", "--unlock", "--conda-create-envs-only", "--rerun-incomplete"),
    *("--group-components", "--conda-prefix", "--cleanup-metadata"),
}
# Configs that a reader writes.
WRITTEN = {"paper/config/config.yaml"}
NAMES = {*(rule.name for rule in write_rules.rules()), "all", "bundle", *PAPER["datasets"]}
OWN_NAMES = {"my_study"}


def commands() -> list:
    """Lines and words in code that call Snakemake, each once."""
    found: dict[str, str] = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = re.findall(r"^ {4,}(?:\w+=\S+ )?(snakemake [^\n]*)$", text, flags=re.MULTILINE)
        words = re.findall(r"`(?:\w+=\S+ )?(snakemake [^`]*)`", text)
        for command in lines + words:
            found.setdefault(" ".join(command.split()), str(page.relative_to(PROJECT)))
    return [pytest.param(command, id=f"{page}: {command}") for command, page in found.items()]


def test_commands_are_found():
    assert len(commands()) > 20


@pytest.mark.parametrize("command", commands())
def test_the_command_names_what_there_is(command):
    patterns = [
        re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(path))
        for rule in write_rules.rules()
        for path in write_rules.paths(rule, "output")
    ]
    words = list(chain(*map(expanded, shlex.split(command, comments=True)[1:])))
    while words:
        word = words.pop(0)
        if word in VALUED:
            value = words.pop(0)
            while (
                word in ("--resources", "--configfile")
                and words
                and re.search(r"=|\.yaml$", words[0])
            ):
                value += f" {words.pop(0)}"
            if word == "--configfile":
                files = set(value.split()) - WRITTEN
                assert all((PROJECT / file).is_file() for file in files), value
            if word == "--workflow-profile":
                assert value == "slurm" or (PROJECT / value).is_dir()
        elif word.startswith("-"):
            assert word in SWITCHES, word
        elif word not in (*NAMES, *OWN_NAMES, "...", "TARGET"):
            assert any(re.fullmatch(pattern, word) for pattern in patterns), word


def expanded(word: str) -> list[str]:
    """As the shell expands braces: a{b,c} to ab and ac."""
    parts = [part.strip("{}").split(",") for part in re.findall(r"\{[^}]*\}|[^{]+", word)]
    return ["".join(choice) for choice in product(*parts)]


@pytest.mark.skipif(shutil.which("snakemake") is None, reason="Snakemake knows its own options")
def test_options_are_those_of_snakemake():
    shown = subprocess.run(["snakemake", "--help"], capture_output=True, text=True, check=True)
    assert set(re.findall(r"--[\w-]+", shown.stdout)) >= VALUED | SWITCHES
