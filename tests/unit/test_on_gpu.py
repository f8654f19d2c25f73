"""What only a GPU can show: the same numbers as a processor, no waiting, the same bits again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small_training import (
    CDDPM,
    DDPM,
    FP32,
    METHODS,
    device_with,
    discs,
    losses_of,
    trained,
    training_settings,
)

import brainuad
from brainuad import gpus
from brainuad.device import DeviceSettings, prepare_device
from brainuad.methods import build_trainable
from brainuad.noise import keys_of, permutation_tables
from brainuad.reconstruction import reconstruct_volumes
from brainuad.settings import settings_from
from brainuad.training.augmentation import augment
from brainuad.training.steps import build_optimizer, take_step

if not torch.cuda.is_available():
    pytest.skip("torch sees no GPU", allow_module_level=True)

GPU = FP32 | {"name": "cuda"}
# All kinds; the slices have 64x64 pixels. Of f-AnoGAN's first eight steps two train the encoder.
KINDS = METHODS | {
    "vae": (
        "autoencoder",
        {
            "size": [64, 64],
            "channels": [8, 16, 16],
            "latent": 16,
            "spatial": False,
            "kl_weight": 0.001,
        },
    ),
    "dae": (
        "denoising_autoencoder",
        {
            "network": {"channels": 8, "levels": 2},
            "noise": {"resolution": 4, "deviation": 0.2},
        },
    ),
    "anogan": (
        "f_anogan",
        {
            "size": [64, 64],
            "channels": [4, 8, 8],
            "latent": 6,
            "gan_steps": 6,
            "critic_steps": 1,
            "gradient_penalty": 10.0,
            "feature_weight": 1.0,
        },
    ),
    "pddpm": (
        "patched_diffusion",
        {name: DDPM[name] for name in ("network", "noise", "schedule")} | {"grid": [2, 2]},
    ),
}
# Trains, stopped by SIGTERM in the step of that number if there is one, and saves the weights.
TRAINING = """
import json, signal, sys
from pathlib import Path
import torch
from small_training import trained
from brainuad.training import loop
from brainuad.device import DeviceSettings, prepare_device
from brainuad.settings import settings_from
folder, stop, settings = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
take_step = loop.take_step
def stopped(*given, step, **options):
    if step == stop:
        signal.raise_signal(signal.SIGTERM)
    return take_step(*given, step=step, **options)
loop.take_step = stopped
device = prepare_device(settings_from(DeviceSettings, settings), 1)
method, progress = trained(folder, device, steps=12)
state = {name: tensor.cpu() for name, tensor in method.network.state_dict().items()}
state["history"] = [row["training_loss"] for row in progress.history]
torch.save(state, folder / "end.pt")
"""


@pytest.fixture
def gpu(monkeypatch):
    """Prepares a GPU for this process; what is switched for it is switched back.

    It is not claimed: this process lives on, and those that it starts would wait for it.
    """
    monkeypatch.setattr(gpus, "claim", lambda identifiers: 0)
    attention, cudnn = torch.backends.cuda, torch.backends.cudnn
    kernels = (
        (attention.enable_flash_sdp, attention.flash_sdp_enabled()),
        (attention.enable_mem_efficient_sdp, attention.mem_efficient_sdp_enabled()),
        (attention.enable_cudnn_sdp, attention.cudnn_sdp_enabled()),
    )
    flags = cudnn.benchmark, cudnn.allow_tf32, attention.matmul.allow_tf32
    fill = torch.utils.deterministic.fill_uninitialized_memory
    yield lambda **changes: prepare_device(settings_from(DeviceSettings, GPU | changes), 1)
    torch.cuda.set_sync_debug_mode("default")
    for enable, before in kernels:
        enable(before)
    cudnn.benchmark, cudnn.allow_tf32, attention.matmul.allow_tf32 = flags
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = fill


def test_a_copy_to_the_gpu_waits_for_nothing(gpu):
    device, numbers = gpu(), torch.arange(1000)
    torch.cuda.set_sync_debug_mode("error")
    there = device.moved(numbers)
    with pytest.raises(RuntimeError, match="synchronizing"):
        numbers.to(device.torch)
    torch.cuda.set_sync_debug_mode("default")
    assert there.device == device.torch
    assert torch.equal(there.cpu(), numbers)


@pytest.mark.parametrize("deterministic", [True, False])
@pytest.mark.parametrize("precision", ["bf16", "fp32"])
@pytest.mark.parametrize(("kind", "settings"), KINDS.values(), ids=KINDS)
def test_no_step_waits_for_the_gpu(gpu, kind, settings, precision, deterministic):
    device = gpu(precision=precision, deterministic=deterministic)
    method = build_trainable(kind, settings)
    method.network.to(device.torch, memory_format=torch.channels_last)
    options = {"settings": training_settings(), "seed": 3, "device": device}
    optimizer = build_optimizer(method.network, options["settings"])
    images = discs().to(device.torch)
    # What is laid down once is there after the first steps.
    for step in range(3):
        take_step(method, images, optimizer, step=step, **options)
    torch.cuda.set_sync_debug_mode("error")
    losses = [take_step(method, images, optimizer, step=step, **options) for step in range(3, 8)]
    torch.cuda.set_sync_debug_mode("default")
    assert torch.stack(losses).isfinite().all()


def test_augmentation_and_noise_are_those_of_the_processor(gpu):
    device, images = gpu(), discs()[:, :1]
    settings = training_settings().augmentation
    here, there = (
        augment(batch, settings, torch.Generator().manual_seed(1))
        for batch in (images, device.moved(images))
    )
    torch.testing.assert_close(there.cpu(), here, atol=1e-4, rtol=0)
    tables = permutation_tables(keys_of(1, "abc"))
    assert torch.equal(permutation_tables(device.moved(keys_of(1, "abc"))).cpu(), tables)
    method = build_trainable("diffusion", CDDPM)
    fields = [method.fields(keys_of(1, "abc"), batch).cpu() for batch in (images, there)]
    torch.testing.assert_close(fields[1], fields[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("kind", "settings"), KINDS.values(), ids=KINDS)
def test_losses_are_those_of_the_processor(gpu, kind, settings):
    device = gpu()
    torch.manual_seed(0)
    method = build_trainable(kind, settings)
    if kind == "f_anogan":
        # Before the encoder's turn the loss says nothing.
        method.network.encoder_steps += 1
    method.network.eval()
    losses = []
    for place in (torch.device("cpu"), device.torch):
        method.network.to(place, memory_format=torch.channels_last)
        images = discs()[:, :1].to(place)
        with torch.no_grad():
            losses.append(method.validation_loss(images, torch.Generator().manual_seed(1)).item())
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


def test_bfloat16_reconstructs_what_float32_does(gpu, tmp_path):
    method, _ = trained(tmp_path, device_with(), steps=60)
    method.network.eval()
    images, options = discs(3, size=32).numpy(), {"timesteps": [250, 500, 750], "seed": 3}
    painted = {
        "processor": reconstruct_volumes(method, images, "abc", device=device_with(), **options)
    }
    for precision in ("fp32", "bf16"):
        device = gpu(precision=precision)
        method.network.to(device.torch)
        painted[precision] = reconstruct_volumes(method, images, "abc", device=device, **options)
    np.testing.assert_allclose(painted["fp32"], painted["processor"], atol=1e-4)
    difference = np.abs(painted["bf16"] - painted["fp32"])
    # The tolerance of the processor's bfloat16, see test_steps.
    assert 0 < difference.max() < 0.005
    assert difference.mean() < 0.0005


def test_a_compiled_training_is_the_eager_one(gpu, tmp_path, capsys):
    _, course = trained(tmp_path / "eager", gpu(), steps=12)
    capsys.readouterr()
    _, compiled_course = trained(tmp_path / "compiled", gpu(compile=True), steps=12)
    if "torch.compile fails here" in (said := capsys.readouterr().out):
        pytest.skip(said.splitlines()[0])
    np.testing.assert_allclose(losses_of(compiled_course), losses_of(course), rtol=1e-2)


def test_bfloat16_learns_what_float32_does(gpu, tmp_path):
    courses = [
        trained(tmp_path / precision, gpu(precision=precision))[1] for precision in ("fp32", "bf16")
    ]
    losses, rounded = (losses_of(course) for course in courses)
    np.testing.assert_allclose(rounded, losses, rtol=0.1)
    assert rounded.sum() == pytest.approx(losses.sum(), rel=0.02)


@pytest.mark.parametrize("compiled", ["false", "true"])
@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_a_training_that_was_stopped_ends_bit_identical(tmp_path, precision, compiled):
    folders = (Path(__file__).parent, Path(brainuad.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}
    settings = (
        f'{{"name": "cuda", "precision": "{precision}", "compile": {compiled}, '
        '"deterministic": true}'
    )

    def train(name, stop):
        (tmp_path / name).mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, "-c", TRAINING, str(tmp_path / name), str(stop), settings],
            env=environment,
            timeout=600,
        ).returncode

    assert train("undisturbed", -1) == 0
    assert train("stopped", 7) == 128 + signal.SIGTERM
    assert train("stopped", -1) == 0
    ends = [
        torch.load(tmp_path / name / "end.pt", weights_only=True)
        for name in ("undisturbed", "stopped")
    ]
    assert ends[0].pop("history") == ends[1].pop("history")
    for name in ends[0]:
        assert torch.equal(ends[0][name], ends[1][name]), name
