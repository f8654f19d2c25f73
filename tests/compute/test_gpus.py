"""A GPU for each job: the third of three waits for one of two, and no end of a job blocks one."""

import multiprocessing
import os
import signal
import time
from contextlib import redirect_stdout
from multiprocessing import forkserver
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import brainuad
from brainuad.compute.gpus import claim, visible_gpus

TWO = ["GPU-first", "GPU-second"]


def hold(identifiers, folder, connection, *, leave_a_child):
    """Claim a GPU, tell which, and hold it until told to end."""
    with (folder / f"{os.getpid()}.log").open("w") as file, redirect_stdout(file):
        index = claim(identifiers, folder)
    child = None
    if leave_a_child and not (child := os.fork()):
        time.sleep(60)
    connection.send((index, child))
    connection.recv()


class Job:
    """A process that claims a GPU."""

    def __init__(self, processes, identifiers, folder, *, leave_a_child=False):
        self.folder = folder
        self.connection, other = processes.Pipe()
        self.process = processes.Process(
            target=hold,
            args=(identifiers, folder, other),
            kwargs={"leave_a_child": leave_a_child},
        )
        self.process.start()
        other.close()

    def claimed(self, seconds=30.0):
        """The index of its GPU and the process that it left, or None while it waits."""
        return self.connection.recv() if self.connection.poll(seconds) else None

    def log(self):
        return (self.folder / f"{self.process.pid}.log").read_text()

    def end(self, number=None):
        if number is None:
            self.connection.send("end")
        else:
            os.kill(self.process.pid, number)
        self.process.join(30)


@pytest.fixture(scope="module")
def processes():
    """Processes that share one import of torch."""
    context = multiprocessing.get_context("forkserver")
    with pytest.MonkeyPatch.context() as patch:
        # The server that forks has its path from the environment alone.
        patch.setenv("PYTHONPATH", str(Path(brainuad.__file__).parents[1]))
        context.set_forkserver_preload(["brainuad.compute.gpus"])
        forkserver.ensure_running()
    return context


@pytest.fixture
def start(processes, tmp_path):
    jobs = []

    def start_one(identifiers=TWO, **options):
        jobs.append(Job(processes, identifiers, tmp_path, **options))
        return jobs[-1]

    yield start_one
    for job in jobs:
        job.process.kill()
        job.process.join(30)


def test_the_third_of_three_jobs_waits_until_one_of_two_gpus_is_free(start):
    first, second = start(), None
    assert first.claimed() == (0, None)
    second = start()
    assert second.claimed() == (1, None)
    third = start()
    assert third.claimed(seconds=2.5) is None
    holders = f"{first.process.pid}, {second.process.pid}"
    assert third.log() == f"waiting for a free GPU (processes that hold one: {holders})\n"
    second.end()
    assert third.claimed() == (1, None)
    assert third.log().count("\n") == 1
    assert first.log() == second.log() == ""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_job_frees_its_gpu(start, number):
    killed = start(["only"])
    assert killed.claimed() == (0, None)
    waiting = start(["only"])
    assert waiting.claimed(seconds=0.5) is None
    killed.end(number)
    assert killed.process.exitcode == -number
    assert waiting.claimed() == (0, None)


def test_a_child_that_outlives_its_job_does_not_keep_the_gpu(start):
    killed = start(["only"], leave_a_child=True)
    _, child = killed.claimed()
    try:
        killed.end(signal.SIGKILL)
        os.kill(child, 0)
        assert start(["only"]).claimed() == (0, None)
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_process_that_claims_again_keeps_the_gpu_it_has(start, tmp_path):
    other = start()
    assert other.claimed() == (0, None)
    assert claim(TWO, tmp_path) == 1
    assert claim(TWO, tmp_path) == 1
    other.end()
    assert claim(TWO, tmp_path) == 1
    # And holds it alone: two more jobs get the other one, and nothing.
    assert start().claimed() == (0, None)
    assert start().claimed(seconds=1.5) is None


def test_jobs_that_see_different_gpus_share_the_one_that_both_see(start):
    """As with CUDA_VISIBLE_DEVICES=0,1 and =1,2."""
    assert start(["b"]).claimed() == (0, None)
    assert start(["a", "b"]).claimed() == (0, None)
    assert start(["b", "c"]).claimed() == (1, None)


def test_identifiers_may_hold_any_characters(tmp_path):
    folder = tmp_path / "locks"
    odd = ["..", "MIG-GPU-1/2/0", "MIG-GPU-1/2/1", "/absolute", "with blank", "größe\n"]
    for identifier in odd:
        assert claim([identifier], folder) == 0
    assert len(list(folder.iterdir())) == len(odd)
    assert [path.name for path in tmp_path.iterdir()] == ["locks"]


def test_none_of_no_gpus_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no GPU to claim"):
        claim([], tmp_path)


def test_visible_gpus_are_named_as_torch_sees_them(monkeypatch):
    class Identifier:
        """Torch's own prints as text, and is none."""

        def __init__(self, text):
            self.text = text

        def __str__(self):
            return self.text

    seen = ["2a1c", "9f00"]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(seen))
    monkeypatch.setattr(
        torch.cuda,
        "get_device_properties",
        lambda number: SimpleNamespace(uuid=Identifier(seen[number])),
    )
    assert visible_gpus() == seen
