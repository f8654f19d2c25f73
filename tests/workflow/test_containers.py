"""The recipes for containers, run in an empty folder, with a stand-in for apt-get.

No image is built: that needs root's rights over the system, and the network.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import PROJECT, demo_config, environment, make_working_directory

DOCKER = (PROJECT / "containers" / "Dockerfile").read_text(encoding="utf-8")
APPTAINER = (PROJECT / "containers" / "brainuad.def").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^%(\w+)\n((?:    .+\n)+)", APPTAINER, flags=re.MULTILINE))
HOME = "/opt/brainuad"


def lines(word: str) -> list[str]:
    """What follows a word at the beginning of the Dockerfile's lines."""
    return re.findall(rf"^{word} (.+)$", DOCKER, flags=re.MULTILINE)


def copied() -> dict[str, str]:
    """The place in the image of each file and folder that the Dockerfile copies."""
    found = {}
    for *sources, target in (line.split() for line in lines("COPY")):
        for source in sources:
            found[source] = f"{target}{source}" if target.endswith("/") else target
    return found


def packages(file: str) -> str:
    """Debian's packages that a script installs: those of the line that begins with make."""
    text = (PROJECT / file).read_text(encoding="utf-8")
    (line,) = re.findall(r"apt-get install .*--no-install-recommends (make .+)", text)
    return line


def test_both_recipes_make_the_same_image():
    assert re.findall(r"^From: (.+)$", APPTAINER, flags=re.MULTILINE) == lines("FROM")
    assert re.fullmatch(r"debian:\d+\.\d+-slim", lines("FROM")[0])
    assert dict(line.split() for line in SECTIONS["files"].splitlines()) == copied()
    assert SECTIONS["post"].split() == lines("RUN")
    exported = re.findall(r"export (.+)", SECTIONS["environment"])
    assert exported == lines("ENV")
    (command,) = map(json.loads, lines("ENTRYPOINT"))
    assert SECTIONS["runscript"].split() == ["exec", *command, '"$@"']


def test_ci_runs_in_the_same_system_with_the_same_packages():
    workflow = (PROJECT / ".github" / "workflows" / "ci.yaml").read_text(encoding="utf-8")
    assert f"container: {lines('FROM')[0]}\n" in workflow
    assert packages("containers/install.sh") == packages(".ci/run")


@pytest.fixture(scope="module")
def image(tmp_path_factory, rule_environments) -> Path:
    """A folder with what the recipes copy, after install.sh ran there; environments are reused."""
    root = tmp_path_factory.mktemp("image") / "brainuad"
    without_cache = shutil.ignore_patterns("__pycache__")
    for source, target in copied().items():
        place = root / Path(target).relative_to(HOME)
        place.parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, place, ignore=without_cache)
        else:
            shutil.copy(PROJECT / source, place)
    (root / ".environments").mkdir()
    built = Path(shutil.which("snakemake")).parents[1]
    (root / ".environments" / "snakemake").symlink_to(built)
    prefix = environment()["SNAKEMAKE_CONDA_PREFIX"]
    (root / ".environments" / "rules").symlink_to(prefix)
    # make builds no environment that is younger than its file.
    os.utime(root / "envs" / "snakemake.yaml", (0, 0))
    tools = root.parent / "tools"
    tools.mkdir()
    (tools / "apt-get").write_text(f'#!/bin/sh\necho "$@" >>{root.parent}/apt\n', encoding="utf-8")
    (tools / "apt-get").chmod(0o755)
    (command,) = lines("RUN")
    subprocess.run(
        [command.replace(HOME, str(root))],
        env={"PATH": f"{tools}:{sys.base_prefix}/bin:/usr/bin:/bin", "HOME": str(root.parent)},
        check=True,
    )
    return root


def run_in(image: Path, directory: Path, *arguments: str) -> str:
    """What the image's command prints, with the image's variables, in a working directory."""
    variables = dict(line.replace(HOME, str(image)).split("=", 1) for line in lines("ENV"))
    variables["PATH"] = variables["PATH"].replace("$PATH", "/usr/bin:/bin")
    (command,) = map(json.loads, lines("ENTRYPOINT"))
    done = subprocess.run(
        [*(word.replace(HOME, str(image)) for word in command), *arguments],
        cwd=directory,
        env=variables | {"HOME": str(directory)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_install_asks_for_the_packages_and_builds_the_environments(image, tmp_path):
    asked = (image.parent / "apt").read_text(encoding="utf-8").splitlines()
    needed = packages(".ci/run")
    assert asked == ["update", f"install --yes --no-install-recommends {needed}"]
    values = demo_config()
    values["datasets"]["atlas"]["skull_stripping"] = "hdbet"
    study = make_working_directory(tmp_path / "study", values)
    shown = run_in(
        image,
        study,
        "--cores",
        "1",
        "--list-conda-envs",
        "all",
        "results/corrected/atlas_t1/chunk0",
    )
    found = dict(re.findall(r"envs/(\w+)\.yaml\s+(/\S+)", shown))
    rules = "".join(file.read_text("utf-8") for file in (image / "workflow/rules").glob("*.smk"))
    assert found.keys() == set(re.findall(r"envs/(\w+)\.yaml", rules)) - {"hdbet2"}
    for place in found.values():
        assert Path(f"{place}.env_setup_done").is_file()


def test_a_job_runs_by_the_command_of_the_image(image, tmp_path):
    study = make_working_directory(tmp_path / "study", demo_config())
    template = study / "resources" / "phantoms" / "template" / "brain.nii.gz"
    run_in(image, study, "--cores", "1", str(template.relative_to(study)))
    assert template.is_file()
