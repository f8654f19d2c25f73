"""torch.compile: the same training, and the same without it where there is no compiler."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small_training import DDPM, device_with, discs, losses_of, trained
from torch import nn

import brainuad
from brainuad.compute import compilation
from brainuad.compute.compilation import (
    compile_costly_parts,
    eagerly,
    runs_compiled,
    what_compiling_lacks,
)
from brainuad.inference import reconstruction
from brainuad.inference.reconstruction import reconstruct_volumes
from brainuad.models import build_trainable

SMALL = DDPM | {
    "network": {"channels": 4, "multipliers": [1], "residual_blocks": 1, "attention_heads": 1}
}
# A machine without a compiler, in a process of its own: what it switches stays switched.
WITHOUT_COMPILER = """
import sys
from pathlib import Path
import torch
from small_training import CDDPM, device_with, trained
torch.set_num_threads(1)
states = []
for compiled in (False, True):
    folder = Path(sys.argv[1]) / str(compiled)
    model, progress = trained(folder, device_with(compile=compiled), steps=4)
    states.append(model.network.state_dict() | progress.best)
first, second = states
assert list(first) == list(second)
assert all(torch.equal(first[name], second[name]) for name in first)
"""


class Doubling(nn.Module):
    """Counts how often Python itself runs it."""

    worth_compiling = True

    def __init__(self):
        super().__init__()
        self.runs = 0

    def forward(self, values):
        self.runs += 1
        return 2 * values


def test_nothing_is_compiled_unless_it_is_asked_for():
    network, rehearsals = nn.Sequential(Doubling()), []
    compile_costly_parts(network, device_with(), lambda: rehearsals.append(1))
    assert not rehearsals
    compile_costly_parts(nn.Linear(1, 1), device_with(compile=True), lambda: rehearsals.append(1))
    assert not rehearsals
    with eagerly(device_with()):
        assert network(torch.ones(1)) == 2
    assert network[0].runs == 1


needs_a_compiler = pytest.mark.skipif(
    shutil.which(os.environ.get("CXX", "g++")) is None,
    reason="torch.compile needs a C++ compiler here, and there is none",
)


@needs_a_compiler
def test_a_compiled_training_is_the_eager_one(tmp_path, capsys, monkeypatch):
    """The first on a machine compiles for a minute, later ones find that in torch's cache."""
    torch.set_num_threads(1)
    graphs = torch._dynamo.utils.counters["stats"]
    graphs.clear()
    eager, course = trained(tmp_path / "eager", device_with(), settings=SMALL, steps=9)
    assert graphs["unique_graphs"] == 0
    capsys.readouterr()
    compiled = device_with(compile=True)
    model, compiled_course = trained(tmp_path / "compiled", compiled, settings=SMALL, steps=9)
    assert capsys.readouterr().out.startswith("compiled in ")
    # One graph: validation, of another batch and in another mode, ran as it is.
    assert graphs["unique_graphs"] == 1
    np.testing.assert_allclose(losses_of(compiled_course), losses_of(course), rtol=1e-4)
    states = eager.network.state_dict(), model.network.state_dict()
    assert list(states[0]) == list(states[1])
    assert list(compiled_course.best) == list(course.best)
    for name in states[0]:
        torch.testing.assert_close(states[1][name], states[0][name], rtol=1e-2, atol=1e-4)

    # Reconstruction compiles where there is much of it: once, for batches that are filled up.
    eager.network.eval()
    model = build_trainable("diffusion", SMALL)
    model.network.load_state_dict(eager.network.state_dict())
    model.network.eval()
    images, options = discs(2, 10, size=32).numpy(), {"timesteps": [500], "seed": 3}
    expected = reconstruct_volumes(model, images, ["a", "b"], device=compiled, **options)
    assert graphs["unique_graphs"] == 1 and not runs_compiled(model.network)
    monkeypatch.setattr(reconstruction, "COMPILING_PAYS", 20)
    for _ in range(2):
        again = reconstruct_volumes(model, images, ["a", "b"], device=compiled, **options)
        assert graphs["unique_graphs"] == 2 and runs_compiled(model.network)
        np.testing.assert_allclose(again, expected, atol=1e-5)


def test_without_a_compiler_the_training_is_the_eager_one_and_says_so(tmp_path):
    folders = (Path(__file__).parents[1] / "helpers", Path(brainuad.__file__).parents[1])
    environment = os.environ | {
        "CXX": "/nonexistent/compiler",
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_COMPILER, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if "torch.compile" in line]
    assert said == [
        "torch.compile fails here, computing without it (it needs a compiler, and there is no "
        "/nonexistent/compiler; install the package g++ of Debian, gxx_linux-64 of conda-forge, or "
        "name one in CXX)"
    ]


def test_what_triton_needs_is_looked_for_before_anything_is_compiled(tmp_path, monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "there is no gcc or clang; install the package gcc" in what_compiling_lacks("cuda")
    (tmp_path / "clang").write_text("")
    (tmp_path / "clang").chmod(0o755)
    headers = tmp_path / "include"
    monkeypatch.setattr(compilation.sysconfig, "get_path", lambda name: str(headers))
    assert f"{headers} has no Python.h; install the package python3" in what_compiling_lacks("cuda")
    headers.mkdir()
    (headers / "Python.h").write_text("")
    assert what_compiling_lacks("cuda") is None
    monkeypatch.setenv("CC", "a-compiler-that-is-not-there")
    assert "there is no a-compiler-that-is-not-there" in what_compiling_lacks("cuda")


def wrapped(inner):
    """An error of the compiler round another one, as torch raises it."""
    error = torch._dynamo.exc.BackendCompilerFailed(lambda: None, inner, None)
    error.__cause__ = None
    return error


@needs_a_compiler
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        wrapped(torch.OutOfMemoryError("CUDA out of memory.")),
        torch.AcceleratorError("an illegal memory access was encountered"),
        RuntimeError("CUDNN_STATUS_EXECUTION_FAILED"),
        wrapped(RuntimeError("CUDA error: device-side assert triggered")),
        MemoryError(),
    ],
    ids=repr,
)
def test_a_gpu_that_fails_in_the_rehearsal_is_no_compiler_that_fails(error, capsys):
    """Eager steps need more memory still, and a broken GPU computes nothing."""

    def rehearsal():
        raise error

    with pytest.raises(type(error)):
        compile_costly_parts(nn.Sequential(Doubling()), device_with(compile=True), rehearsal)
    assert "computing without it" not in capsys.readouterr().out


def test_a_process_that_cannot_compile_tries_once(monkeypatch, capsys):
    monkeypatch.setattr(compilation, "what_compiling_lacks", lambda device_type: "no compiler")
    monkeypatch.setattr(compilation, "_failures", [])
    stances = []
    monkeypatch.setattr(torch.compiler, "set_stance", stances.append)
    for _ in range(3):
        network = nn.Sequential(Doubling())
        assert not compile_costly_parts(network, device_with(compile=True), lambda: 1 / 0)
        assert not runs_compiled(network)
    assert stances == ["force_eager"]
    assert capsys.readouterr().out.count("torch.compile fails here") == 1
