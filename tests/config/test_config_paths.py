"""Paths have one form; what Snakemake or the locale cannot use, and a root in results, is named."""

import subprocess
import sys
from pathlib import Path

import pytest

from brainuad.config.paths import check_root, with_plain_paths
from brainuad.io.errors import SettingsError

PLAIN = {
    "/data//study": "/data/study",
    "//data/study": "/data/study",
    "data/study/": "data/study",
    "data/study/.": "data/study",
    "./data/./study": "data/study",
    "../data/study.": "../data/study.",
    "/data/a{b-c}d{": "/data/a{b-c}d{",
    "/data/Müller": "/data/Müller",
    ".": ".",
}


@pytest.mark.parametrize(("path", "plain"), PLAIN.items())
def test_paths_have_one_form(path, plain):
    values = {
        "seed": 1,
        "template": {"image": path, "sha256": "//"},
        "head_template": None,
        "datasets": {"a": None, "b": {"root": path, "archives": ["c", path], "exclude": ["x//y"]}},
        "models": {"m": {"pretrained": path, "settings": {"root": "//"}}},
    }
    assert with_plain_paths(values) == {
        "seed": 1,
        "template": {"image": plain, "sha256": "//"},
        "head_template": None,
        "datasets": {
            "a": None,
            "b": {"root": plain, "archives": ["c", plain], "exclude": ["x//y"]},
        },
        "models": {"m": {"pretrained": plain, "settings": {"root": "//"}}},
    }


@pytest.mark.parametrize("path", ["/data/{study}", "{x}", "a/{ x }/b", "a{x,b+}", "{dataset}/b"])
def test_a_wildcard_in_a_path_is_named(path):
    with pytest.raises(SettingsError, match=r"config: datasets\.b\.root: .* takes for a wildcard"):
        with_plain_paths({"datasets": {"b": {"root": path}}})


def test_letters_that_the_locale_cannot_write_are_named():
    code = """
from brainuad.config.paths import with_plain_paths
print(with_plain_paths({"reference_run": {"folder": "/data/plain"}}))
with_plain_paths({"reference_run": {"folder": "/data/M\\u00fcller"}})
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "LC_ALL": "C",
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
            "PYTHONPATH": str(Path(__file__).parents[2] / "scripts"),
        },
        capture_output=True,
        encoding="utf-8",
    )
    assert "/data/plain" in done.stdout
    assert "reference_run.folder" in done.stderr and "start it as: PYTHONUTF8=1" in done.stderr


@pytest.fixture
def working_directory(tmp_path, monkeypatch):
    directory = tmp_path / "above" / "study"
    (directory / "resources" / "data" / "ixi").mkdir(parents=True)
    monkeypatch.chdir(directory)
    return directory


@pytest.mark.parametrize("root", [".", "..", "/", "../study", "resources/.."])
def test_a_root_around_the_working_directory_is_refused(working_directory, root):
    with pytest.raises(SettingsError, match=r"datasets\.mine\.root: .* the working directory"):
        check_root("mine", root)


def test_a_link_to_the_working_directory_is_refused(working_directory):
    (working_directory.parent / "link").symlink_to(working_directory)
    with pytest.raises(SettingsError, match="the working directory"):
        check_root("mine", "../link")


@pytest.mark.parametrize(
    ("root", "own"),
    [
        ("results", "results"),
        ("results/normalized", "results"),
        ("resources", "resources/template"),
        ("resources/unpacked/mine", "resources/unpacked"),
        ("logs", "logs"),
    ],
)
def test_a_root_where_jobs_write_is_refused(working_directory, root, own):
    with pytest.raises(SettingsError, match=f"is, holds or lies in {own}, where the workflow"):
        check_root("mine", root)


@pytest.mark.parametrize(
    "root", ["resources/data", "resources/data/ixi", "resources/phantoms/ixi", "../data", "scans"]
)
def test_other_roots_are_taken(working_directory, root):
    check_root("mine", root)
