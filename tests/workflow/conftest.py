"""Snakemake as a user runs it, on working directories of the tests' own."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]

LESION_SETS = ("brats21", "mslub", "atlas", "wmh")
BRIEF = {"steps": 12, "warmup_steps": 2, "slices_per_volume": 8}

# The demo in miniature: every rule, environment and kind of method, in some four minutes.
MINIATURE = {
    "checkpoint_minutes": 0,
    "phantoms": {
        "ixi": {"subjects": 9, "spacing": [4.0, 4.0, 4.0]},
        **{name: {"subjects": 3, "spacing": [4.0, 4.0, 4.0]} for name in LESION_SETS},
    },
    "datasets": {
        "ixi": {"validation": 3, "test": 1},
        **{name: {"validation": 1} for name in LESION_SETS},
        "mslub": {"validation": 1, "archives": ["3D-MR-MS_patient01-05.zip"]},
    },
    "preprocessing": {
        "spacing": 4.0,
        "bias_correction": {"iterations": [5], "shrink_factor": 2},
        "normalization": {"size": [48, 48, 24], "downsampling": 1},
    },
    "pretraining": {"training": BRIEF},
    "models": {
        **{name: {"training": BRIEF} for name in ("svae", "dae", "ddpm", "pddpm", "cddpm_ssl")},
        # The encoder has its turn too.
        "anogan": {"settings": {"gan_steps": 6}, "training": {**BRIEF, "warmup_steps": 0}},
    },
    "evaluation": {
        "methods": ["thresh", "zscore", "ddpm_ens", "cddpm_ssl", "cddpm_ssl_ens"],
        "later_methods": ["ddpm_ens_z"],
        "maps_method": "ddpm_ens_z",
        "bootstrap": {"rounds": 100},
    },
    "experiments": {
        "timesteps": {"timesteps": [300, 700], "models": ["ddpm", "cddpm_ssl"]},
        "conditioning": {"models": ["ddpm", "cddpm_ssl"]},
        "contrast": {"methods": ["thresh", "cddpm_ssl_ens"]},
        "histograms": {"gammas": [1.0, 2.0], "bins": 50, "methods": ["ddpm", "cddpm_ssl"]},
        "postprocessing": {"methods": ["cddpm_ssl"]},
    },
}


def merged(base: dict, changes: dict) -> dict:
    """The config `base` with the keys of `changes`, as Snakemake merges two config files."""
    result = dict(base)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def demo_config() -> dict:
    return yaml.safe_load((PROJECT / "demo" / "config" / "config.yaml").read_text())


def make_working_directory(folder: Path, values: dict) -> Path:
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(values))
    return folder


def environment() -> dict[str, str]:
    """The variables for Snakemake: rule environments are shared by all tests and the demo."""
    variables = dict(os.environ)
    if shutil.which("conda") is None:
        stand_in = PROJECT / "envs" / "without-conda" / "bin"
        variables["PATH"] = f"{stand_in}{os.pathsep}{variables['PATH']}"
    variables.setdefault("SNAKEMAKE_CONDA_PREFIX", str(PROJECT / ".environments" / "rules"))
    return variables


@pytest.fixture(scope="session")
def rule_environments(tmp_path_factory) -> None:
    """The environments that tests of several files use, built by one test process at a time.

    A Snakemake removes what another has half built. Asked for the demo's environments it would
    build those alone whose jobs it knows before the scans are listed.
    """
    names = ("ants", "core", "hdbet1", "phantoms", "report", "torch")
    directory = tmp_path_factory.mktemp("environments")
    rule = "rule {0}:\n    output: '{0}'\n    conda: '{1}/envs/{0}.yaml'\n    shell: ':'\n"
    rules = [rule.format(name, PROJECT) for name in names]
    (directory / "Snakefile").write_text("".join(rules))
    variables = environment()
    prefix = Path(variables["SNAKEMAKE_CONDA_PREFIX"])
    prefix.mkdir(parents=True, exist_ok=True)
    with open(prefix.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(
            ["snakemake", "--cores", "1", "--use-conda", "--conda-create-envs-only", *names],
            cwd=directory,
            env=variables,
            check=True,
        )


@pytest.fixture(scope="session")
def snakemake(rule_environments) -> Callable[..., subprocess.CompletedProcess]:
    """Run Snakemake in a working directory; `project` is a copy of the workflow, or this one."""

    def run(
        directory: Path, *arguments: str, project: Path = PROJECT, check: bool = True
    ) -> subprocess.CompletedProcess:
        command = ["snakemake", "--directory", str(directory), "--cores", "2"]
        done = subprocess.run(
            [*command, *arguments], cwd=project, env=environment(), text=True, capture_output=True
        )
        if check:
            assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        return done

    return run


@pytest.fixture(scope="session")
def chain(tmp_path_factory, snakemake) -> tuple[Path, Path]:
    """A copy of the workflow, and a working directory in which it ran up to the report."""
    folder = tmp_path_factory.mktemp("chain")
    project = folder / "project"
    for part in ("workflow", "scripts", "envs", "config", "profiles"):
        shutil.copytree(
            PROJECT / part, project / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(PROJECT / "Snakefile", project)
    directory = make_working_directory(folder / "study", merged(demo_config(), MINIATURE))
    snakemake(directory, project=project)
    return project, directory
