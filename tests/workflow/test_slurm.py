"""The profile for clusters, on a real SLURM of one node that these tests start and stop.

The demo in miniature, cut to one data set and one model, goes through sbatch. Then a training that
is too long for its time limit is stopped by SLURM, and goes on in a retry.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from brainuad.models.checkpoints import read_weights
from conftest import (
    LESION_SETS,
    MINIATURE,
    PROJECT,
    demo_config,
    environment,
    make_working_directory,
    merged,
)

CLUSTER = PROJECT / "tests" / "slurm" / "one_node_cluster.sh"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
SBIN = f"{os.environ['PATH']}:/usr/sbin:/sbin"
# What a user's site decides, and how often Snakemake asks SLURM for news.
SITE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2")
RAW_DATA = [f"resources/phantoms/{name}" for name in ("ixi", "brats21", "template/brain.nii.gz")]
WEIGHTS = "results/models/{model}/t2/fold0/weights.pt"
SCORES = "results/scores/ddpm_ens/fold0/brats21_t2.tsv"
QUALITY_PAGE = "results/report/quality/brats21_t2"
# Seconds: longer than SLURM's shortest time limit, a minute, and the half minute in which it looks.
TRAINING = 90

pytestmark = pytest.mark.skipif(
    os.getuid() != 0 or any(shutil.which(program, path=SBIN) is None for program in PROGRAMS),
    reason="no SLURM to start: it takes root, and 'tests/slurm/one_node_cluster.sh install'",
)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """A SLURM of one node that all commands of this module talk to."""
    # Not pytest's own folder, whose path may be too long for a socket.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    with pytest.MonkeyPatch.context() as patch:
        try:
            subprocess.run([CLUSTER, "start", folder], check=True)
            patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
            patch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
            yield
        finally:
            subprocess.run([CLUSTER, "stop", folder], check=True)
            shutil.rmtree(folder)


def submit(
    directory: Path, *arguments: str, profile: str | Path = "profiles/slurm", check: bool = True
) -> subprocess.CompletedProcess:
    """Run Snakemake on the cluster as a user does: from the project's folder, by the profile."""
    command = ["snakemake", "--workflow-profile", str(profile), "--directory", str(directory)]
    done = subprocess.run(
        [*command, *SITE, *arguments],
        cwd=PROJECT,
        env=environment() | {"PWD": str(PROJECT)},
        text=True,
        capture_output=True,
    )
    if check:
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
    return done


def submissions(done: subprocess.CompletedProcess) -> list[dict[str, str]]:
    """What SLURM knows of the jobs of a run, by scontrol's own names."""
    numbers = re.findall(r"has been submitted with SLURM jobid (\d+)", done.stdout + done.stderr)
    shown = [
        subprocess.run(
            ["scontrol", "show", "job", number, "--oneliner"],
            text=True,
            capture_output=True,
            check=True,
        ).stdout
        for number in numbers
    ]
    return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in shown]


def change_config(directory: Path, changes: dict) -> None:
    file = directory / "config" / "config.yaml"
    file.write_text(yaml.safe_dump(merged(yaml.safe_load(file.read_text()), changes)))


@pytest.fixture(scope="module")
def chain(tmp_path_factory, snakemake) -> tuple[Path, subprocess.CompletedProcess]:
    """A working directory whose scores and quality page came through sbatch, and the run."""
    cut = {
        "checkpoint_minutes": 60,
        "datasets": dict.fromkeys(set(LESION_SETS) - {"brats21"}),
        "models": {"ddpm": {"training": {"steps": 40, "validation": {"every_epochs": 100}}}},
    }
    values = merged(merged(demo_config(), MINIATURE), cut)
    directory = make_working_directory(tmp_path_factory.mktemp("slurm") / "study", values)
    # The scans are at hand, as they are on a cluster.
    snakemake(directory, *RAW_DATA)
    return directory, submit(directory, SCORES, QUALITY_PAGE)


def test_chain_ends_with_scores_and_quality_page(chain):
    directory, _ = chain
    scores = pd.read_csv(directory / SCORES, sep="\t")
    assert scores.loc[scores["metric"] == "dice", "value"].between(0, 1).all()
    assert (directory / QUALITY_PAGE / "index.html").is_file()


def test_chain_has_fewer_submissions_than_jobs(chain):
    _, done = chain
    finished = Counter(
        re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", done.stdout + done.stderr)
    )
    local = {"unpack_archives", "leave_out_copies", "split_folds", "check_template"}
    assert local < set(finished)
    sent = [job["Comment"].removeprefix("rule_") for job in submissions(done)]
    assert not [comment for comment in sent for rule in local if rule in comment]
    # Two modalities would be two of each: the models of the T2 data set need T2 alone.
    # Of the healthy scans, whose voxels give a threshold too, the maps are a group of their own.
    batch = {"prepare": 2, "correct": 2, "score": 2}
    groups = Counter(comment.split("_")[0] for comment in sent)
    assert {name: groups[name] for name in batch} == batch
    in_groups = {
        "resample_scans": 2,
        "strip_skull": 2,
        "register_to_template": 2,
        "correct_bias": 2,
    }
    in_groups |= {"normalize_scans": 2, "inspect_scans": 1, "map_anomalies": 2}
    in_groups |= {"score_segmentation": 1}
    assert {rule: finished[rule] for rule in in_groups} == in_groups
    alone = sum(finished.values()) - sum(finished[rule] for rule in {*local, *in_groups})
    assert len(sent) == sum(batch.values()) + alone


def test_jobs_ask_for_what_their_rules_say(chain):
    jobs = {job["Comment"]: job for job in submissions(chain[1])}
    training = jobs["rule_train_model_wildcards_ddpm_t2_0"]
    assert training["Partition"] == "cpu", "the demo's device is the CPU"
    assert "gpu" not in training["TRES"] + training.get("TresPerJob", "")
    assert training["TimeLimit"] == "1-00:00:00"
    (correction,) = (
        job for comment, job in jobs.items() if "correct" in comment and "inspect" in comment
    )
    assert int(correction["NumCPUs"]) <= 2, "a group is a chain"


@pytest.fixture(scope="module")
def stopped(chain) -> tuple[Path, Path, list[dict[str, str]]]:
    """Two directories with the same training, stopped at its time limit and undisturbed at home.

    And what SLURM knows of the jobs of the first.
    """
    directory, _ = chain
    target = WEIGHTS.format(model="ddpm")
    history = pd.read_csv(directory / target.replace("weights.pt", "history.tsv"), sep="\t")
    fastest = (history["seconds"] / history["step"].diff().fillna(history["step"])).min()
    longer = {"models": {"ddpm": {"training": {"steps": int(TRAINING / fastest)}}}}
    change_config(directory, longer)
    undisturbed = directory.with_name("undisturbed")
    shutil.copytree(directory, undisturbed)
    at_home = subprocess.Popen(
        ["snakemake", "--directory", undisturbed, "--cores", "1", "--use-conda", target],
        cwd=PROJECT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        # One minute, then twenty-one.
        done = submit(directory, target, "--set-resources", "train_model:runtime=20*attempt-19")
        assert at_home.wait() == 0
    finally:
        at_home.terminate()
    return directory, undisturbed, submissions(done)


def test_training_stopped_at_its_time_limit_goes_on_in_a_retry(stopped):
    directory, undisturbed, jobs = stopped
    first, second = jobs
    assert first["JobState"] == "TIMEOUT"
    assert second["JobState"] == "COMPLETED"
    assert second["TimeLimit"] == "00:21:00"
    memory = [int(re.search(r"mem=(\d+)M", job["TRES"])[1]) for job in jobs]
    assert memory[1] == 2 * memory[0]
    # No checkpoint is due within the hour: the one it goes on from was saved when SLURM said stop.
    log = "logs/train_model/ddpm/t2/fold0.log"
    resumed = re.search(r"resumed after step (\d+) of (\d+)", (directory / log).read_text())
    assert 0 < int(resumed[1]) < int(resumed[2])
    assert "resumed" not in (undisturbed / log).read_text()


def test_stopped_training_ends_with_the_same_weights(stopped):
    one, other = (read_weights(folder / WEIGHTS.format(model="ddpm")) for folder in stopped[:2])
    assert one["training"] == other["training"]
    assert one["state"].keys() == other["state"].keys()
    assert all(torch.equal(one["state"][name], other["state"][name]) for name in one["state"])


@pytest.mark.parametrize("asked_by", ["gpus", "gres"])
def test_training_on_a_gpu_asks_for_one(chain, tmp_path, asked_by):
    """The cluster's GPU is a number to allocate; the training says that it sees none."""
    directory = tmp_path / "study"
    shutil.copytree(chain[0], directory)
    profile = shutil.copytree(PROJECT / "profiles" / "slurm", tmp_path / "profile")
    if asked_by == "gres":
        text = (profile / "config.yaml").read_text()
        switch = re.compile(r"^# (set-resources:\n)((?:#   \w+: [&*]gres.*\n)+)", re.MULTILINE)
        text, found = switch.subn(lambda m: m[1] + m[2].replace("# ", " "), text)
        assert found == 1
        (profile / "config.yaml").write_text(text)
    options = ("--config", "device=cuda", "--retries", "0")
    # What is there already is not made anew on another device.
    targets = [WEIGHTS.format(model="ddpm"), "results/anomaly_maps/thresh/fold0/brats21_t2.npz"]
    (directory / targets[0]).unlink()
    done = submit(directory, *targets, *options, profile=profile, check=False)
    (training,) = (job for job in submissions(done) if "train_model" in job["Comment"])
    (mapping,) = (job for job in submissions(done) if "map_anomalies" in job["Comment"])
    assert training["Partition"] == "gpu"
    assert mapping["Partition"] == "cpu"
    assert not [key for key in mapping if key.startswith("TresPer")]
    if asked_by == "gpus":
        assert training["TresPerJob"] == "gres:gpu:1"
    else:
        assert training["TresPerNode"] == "gres:gpu:1"
        assert "TresPerJob" not in training
    assert "torch sees no GPU" in (directory / "logs/train_model/ddpm/t2/fold0.log").read_text()
