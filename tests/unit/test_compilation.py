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
from brainuad import reconstruction
from brainuad.compilation import compile_costly_parts, eagerly
from brainuad.reconstruction import reconstruct_volumes

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
    method, progress = trained(folder, device_with(compile=compiled), steps=4)
    states.append(method.network.state_dict() | progress.best)
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
    method, compiled_course = trained(tmp_path / "compiled", compiled, settings=SMALL, steps=9)
    assert capsys.readouterr().out.startswith("compiled in ")
    # One graph: validation, of another batch and in another mode, ran as it is.
    assert graphs["unique_graphs"] == 1
    np.testing.assert_allclose(losses_of(compiled_course), losses_of(course), rtol=1e-4)
    states = eager.network.state_dict(), method.network.state_dict()
    assert list(states[0]) == list(states[1])
    assert list(compiled_course.best) == list(course.best)
    for name in states[0]:
        torch.testing.assert_close(states[1][name], states[0][name], rtol=1e-2, atol=1e-4)

    # Reconstruction compiles where there is much of it, for all slices but the last few.
    method.network.eval()
    images, options = discs(2, 10, size=32).numpy(), {"timesteps": [500], "seed": 3}
    with eagerly(compiled):
        expected = reconstruct_volumes(method, images, ["a", "b"], device=compiled, **options)
    assert graphs["unique_graphs"] == 1
    monkeypatch.setattr(reconstruction, "COMPILING_PAYS", 20)
    painted = reconstruct_volumes(method, images, ["a", "b"], device=compiled, **options)
    assert graphs["unique_graphs"] == 2
    np.testing.assert_allclose(painted, expected, atol=1e-5)


def test_without_a_compiler_the_training_is_the_eager_one_and_says_so(tmp_path):
    folders = (Path(__file__).parent, Path(brainuad.__file__).parents[1])
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
    assert len(said) == 1
    assert said[0].startswith("torch.compile fails here, computing without it (")
    assert "/nonexistent/compiler" in said[0]
