"""A lock that a killed Snakemake left in the demo's folder goes; that of a running one stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path):
    """A clone with a locked demo, and a Snakemake that writes down how it is called."""
    for name in ("clone", "other"):
        (tmp_path / name / "demo" / ".snakemake" / "locks").mkdir(parents=True)
        (tmp_path / name / "demo" / ".snakemake" / "locks" / "0.output.lock").touch()
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "snakemake"
    fake.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n', encoding="utf-8")
    fake.chmod(0o755)
    return tmp_path / "clone"


def calls_of_demo(clone, *arguments):
    variables = {**os.environ, "PATH": f"{clone.parent / 'bin'}:{os.environ['PATH']}"}
    script = PROJECT / "demo" / "run.sh"
    subprocess.run([script, "demo", *arguments], cwd=clone, env=variables, check=True, timeout=60)
    return (clone.parent / "calls").read_text(encoding="utf-8")


@pytest.fixture
def running(tmp_path):
    """A function that starts what looks like a Snakemake at work in a folder."""
    processes = []

    def start(folder):
        program = tmp_path / "real" / "snakemake"
        program.parent.mkdir(exist_ok=True)
        program.write_text(
            "import time; print('runs', flush=True); time.sleep(60)\n", encoding="utf-8"
        )
        command = [sys.executable, program, "--directory", "demo", "--cores", "2"]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE)
        processes.append(process)
        assert process.stdout.readline() == b"runs\n"

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_a_stale_lock_is_removed(clone):
    assert "--unlock" in calls_of_demo(clone)


def test_a_snakemake_of_another_clone_does_not_count(clone, running):
    running(clone.parent / "other" / "demo")
    assert "--unlock" in calls_of_demo(clone)


def test_the_lock_of_a_running_snakemake_stays(clone, running):
    running(clone / "demo")
    assert "--unlock" not in calls_of_demo(clone)


def test_targets_are_not_taken_for_what_is_quiet(clone):
    """Snakemake's --quiet takes all words that follow it."""
    report = clone / "demo" / "results" / "report" / "index.html"
    report.parent.mkdir(parents=True)
    report.touch()
    calls = calls_of_demo(clone, "all", "results/bundles/cddpm_ens_z_t2").splitlines()
    assert len(calls) == 3
    for call in calls:
        assert "all results/bundles/cddpm_ens_z_t2" in call.partition("--quiet")[0]
