"""The version and the citation say the same wherever they are written."""

import json
import re
import shutil
import tomllib
from datetime import date
from pathlib import Path

import yaml

from brainuad.plan.code_digest import SCRIPTS, code_digest
from brainuad.version import VERSION

PROJECT = Path(__file__).resolve().parents[2]
# As text: a reader of YAML makes a date of 2026-11-27.
CITATION = yaml.load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"), yaml.BaseLoader)
ZENODO = json.loads((PROJECT / ".zenodo.json").read_text(encoding="utf-8"))
CHANGELOG = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
HEADING = re.compile(r"^## (\[.*)$", re.MULTILINE)


def test_every_file_has_the_same_version():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    assert {project["version"], CITATION["version"], ZENODO["version"]} == {VERSION}


def test_changelog_begins_with_this_version_and_its_date():
    unreleased, *releases = HEADING.findall(CHANGELOG)
    assert unreleased == "[Unreleased]"
    assert releases[0] == f"[{VERSION}] - {CITATION['date-released']}"
    dates = [date.fromisoformat(release.split(" - ")[1]) for release in releases]
    assert dates == sorted(dates, reverse=True)
    kinds = set(re.findall(r"^### (.+)$", CHANGELOG, flags=re.MULTILINE))
    assert kinds <= {
        *("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"),
        "Known limits",
    }


def test_a_release_alone_reruns_nothing(tmp_path):
    """A new version must not train the models in a user's folder again."""
    shutil.copytree(SCRIPTS, tmp_path, dirs_exist_ok=True)
    version = tmp_path / "brainuad" / "version.py"
    version.write_text(version.read_text(encoding="utf-8").replace(VERSION, "99.0.0"), "utf-8")
    for script in SCRIPTS.glob("*.py"):
        assert code_digest(tmp_path / script.name) == code_digest(script.stem), script.name


def test_citation_holds_what_its_format_requires():
    """The keys that schema 1.2.0 of the Citation File Format requires, and no empty value."""
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CITATION.keys()
    assert CITATION["type"] == "software"
    date.fromisoformat(CITATION["date-released"])
    paper = CITATION["preferred-citation"]
    assert {"type", "title", "authors"} <= paper.keys()
    for author in (*CITATION["authors"], *paper["authors"]):
        assert author.keys() == {"name"} or author.keys() == {"family-names", "given-names"}
    assert all(CITATION.values()) and all(paper.values())
    assert re.fullmatch(r"10\.\d{4,}/\S+", paper["doi"])


def test_zenodo_gets_what_the_citation_says():
    assert ZENODO["upload_type"] == CITATION["type"]
    assert ZENODO["title"] == CITATION["title"]
    assert ZENODO["description"] == CITATION["abstract"]
    assert ZENODO["license"] == CITATION["license"]
    assert ZENODO["keywords"] == CITATION["keywords"]
    assert ZENODO["creators"] == CITATION["authors"]
    paper = CITATION["preferred-citation"]
    identifiers = {paper["doi"], *(found["value"] for found in paper["identifiers"])}
    assert {found["identifier"] for found in ZENODO["related_identifiers"]} == identifiers


def test_the_paper_is_the_one_that_the_config_reproduces():
    paper = CITATION["preferred-citation"]
    comments = (PROJECT / "config" / "config.yaml").read_text(encoding="utf-8").replace("\n# ", " ")
    assert paper["title"] in comments
    assert f"{paper['journal']} {paper['volume']} ({paper['year']}) {paper['start']}" in comments
    # The journal's identifiers end with the number of the article.
    assert paper["doi"].endswith(f"{paper['year']}.{paper['start']}")
