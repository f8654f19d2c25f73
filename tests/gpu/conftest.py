"""Tests of what only a GPU can show; bench/on_gpu.sh runs them on a machine that has one.

With ON_GPU_DRY set a CPU stands for the GPU, and the full-size networks are miniatures: then they
try themselves, and what needs a GPU is skipped.
"""

import sys
from pathlib import Path

import pytest
import torch
from dry_run import DRY
from small_training import FP32

from brainuad.compute import gpus
from brainuad.compute.device import prepare_device
from brainuad.config.device import DeviceSettings
from brainuad.config.settings import settings_from

sys.path.append(str(Path(__file__).resolve().parents[2] / "bench"))


def pytest_collection_modifyitems(items):
    if torch.cuda.is_available() or DRY:
        return
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="torch sees no GPU"))


@pytest.fixture
def needs_a_gpu():
    if DRY:
        pytest.skip("a CPU can't show it")


@pytest.fixture
def device(monkeypatch):
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
    settings = FP32 | {"name": "cpu" if DRY else "cuda"}
    # More would disturb one another on a CPU that has other work.
    threads = 1 if DRY else torch.get_num_threads()
    yield lambda **changes: prepare_device(
        settings_from(DeviceSettings, settings | changes), threads
    )
    if not DRY:
        torch.cuda.set_sync_debug_mode("default")
    for enable, before in kernels:
        enable(before)
    cudnn.benchmark, cudnn.allow_tf32, attention.matmul.allow_tf32 = flags
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = fill


@pytest.fixture
def within(record_property):
    """Holds measured values against limits; bench/on_gpu.sh makes a row of each.

    What is beyond its limit fails the test in the end, so that the other values are measured too.
    """
    beyond = []

    def check(what: str, value: float, limit: float) -> None:
        record_property(what, (float(value), float(limit)))
        # NaN is beyond any limit.
        if not value <= limit:
            beyond.append(f"{what}: {value:.4g}, expected at most {limit:.4g}")

    yield check
    assert not beyond, "; ".join(beyond)
