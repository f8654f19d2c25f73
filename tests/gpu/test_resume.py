"""A training that was stopped and resumed ends with the bits of one that was not."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import small_training
import torch
from dry_run import DRY

import brainuad

# Trains, stopped by SIGTERM in the step of that number if there is one, and saves the weights.
TRAINING = """
import json, signal, sys
from pathlib import Path
import torch
from small_training import trained
from brainuad.compute import gpus
from brainuad.training import loop
from brainuad.compute.device import prepare_device
from brainuad.config.device import DeviceSettings
from brainuad.config.settings import settings_from
# Two of these run at once, on the one GPU.
gpus.claim = lambda identifiers: 0
folder, stop, settings = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
take_step = loop.take_step
def stopped(*given, step, **options):
    if step == stop:
        signal.raise_signal(signal.SIGTERM)
    return take_step(*given, step=step, **options)
loop.take_step = stopped
device = prepare_device(settings_from(DeviceSettings, settings), 1)
model, progress = trained(folder, device, steps=12)
state = {name: tensor.cpu() for name, tensor in model.network.state_dict().items()}
state["history"] = [row["training_loss"] for row in progress.history]
torch.save(state, folder / "end.pt")
"""


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_a_training_that_was_stopped_ends_bit_identical(tmp_path, precision):
    modules = (small_training.__file__, Path(brainuad.__file__).parent)
    folders = [str(Path(module).parent) for module in modules]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(folders)}
    settings = {
        "name": "cpu" if DRY else "cuda",
        "precision": precision,
        # One of the two on a GPU: the other would tell the same, after as long a compilation.
        "compile": precision == "bf16" and not DRY,
        "deterministic": True,
    }

    def training(name, stop):
        (tmp_path / name).mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, "-c", TRAINING, str(tmp_path / name), str(stop), json.dumps(settings)],
            env=environment,
        )

    undisturbed = training("undisturbed", -1)
    assert training("stopped", 7).wait(100) == 128 + signal.SIGTERM
    assert training("stopped", -1).wait(100) == 0
    assert undisturbed.wait(100) == 0
    ends = [
        torch.load(tmp_path / name / "end.pt", weights_only=True)
        for name in ("undisturbed", "stopped")
    ]
    assert ends[0].pop("history") == ends[1].pop("history")
    for name in ends[0]:
        assert torch.equal(ends[0][name], ends[1][name]), name
