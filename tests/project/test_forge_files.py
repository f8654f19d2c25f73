"""What the forge reads: issue forms, the pull-request template, the CI workflow, the hook."""

import os
import re
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
FORGE = PROJECT / ".github"
FORMS = sorted((FORGE / "ISSUE_TEMPLATE").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE))
TEXTS = [
    *FORMS,
    FORGE / "pull_request_template.md",
    FORGE / "SECURITY.md",
    PROJECT / "CONTRIBUTING.md",
    PROJECT / "CODE_OF_CONDUCT.md",
    PROJECT / ".pre-commit-config.yaml",
]


@pytest.mark.parametrize("file", FORMS, ids=lambda file: file.name)
def test_issue_form_asks_for_each_thing_once(file):
    form = yaml.safe_load(file.read_text(encoding="utf-8"))
    if file.name == "config.yml":
        assert form == {"blank_issues_enabled": False}
        return
    assert form["name"] and form["description"]
    questions = [part for part in form["body"] if part["type"] != "markdown"]
    assert {part["type"] for part in questions} <= {"textarea", "dropdown", "checkboxes"}
    names = [part["id"] for part in questions]
    labels = [part["attributes"]["label"] for part in questions]
    assert len(set(names)) == len(names) and len(set(labels)) == len(labels)
    assert any(part.get("validations", {}).get("required") for part in questions)


def test_a_bug_report_asks_for_what_is_needed_to_find_the_bug():
    form = yaml.safe_load((FORGE / "ISSUE_TEMPLATE" / "bug.yml").read_text(encoding="utf-8"))
    required = {part["id"] for part in form["body"] if part.get("validations", {}).get("required")}
    assert required == {"command", "output", "log", "versions"}


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_commands_and_files_that_are_named_exist(file):
    text = file.read_text(encoding="utf-8")
    assert set(re.findall(r"(?:`|entry: |^    )make ([a-z-]+)", text, re.MULTILINE)) <= TARGETS
    named = re.findall(r"(?<![\w/{}*.-])([\w.-]+/?[\w./-]*\.(?:md|py|sh|yaml|cff))\b", text)
    assert [name for name in named if not (PROJECT / name).exists()] == []


def test_ci_runs_the_command_that_a_contributor_runs():
    workflow = yaml.load((FORGE / "workflows" / "ci.yaml").read_text("utf-8"), yaml.BaseLoader)
    assert workflow["on"].keys() == {"push", "pull_request"}
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands[-1] == ".ci/run"
    assert os.access(PROJECT / commands[-1], os.X_OK)
    (cache,) = (step["with"] for step in job["steps"] if "actions/cache" in step.get("uses", ""))
    assert f"ENVIRONMENTS := {cache['path']}\n" in (PROJECT / "Makefile").read_text("utf-8")
    (pattern,) = re.findall(r"hashFiles\('(.*?)'\)", cache["key"])
    assert [*PROJECT.glob(pattern)] == [*PROJECT.glob("envs/*.yaml")] != []
    # Every action has a version.
    assert all("@v" in step["uses"] for step in job["steps"] if "uses" in step)


def test_the_hook_runs_what_ci_runs():
    config = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    ((hook,),) = ([*repo["hooks"]] for repo in config["repos"])
    assert hook["language"] == "system" and hook["pass_filenames"] is False
    assert hook["entry"] in (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
