"""The devices that networks and noise are measured on: `cpu`, and `cuda` where there is a GPU."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from measuring import Timing, peak_memory_mib, side_by_side

from brainuad.device import Device, DeviceSettings, prepare_device
from brainuad.settings import settings_from


def device_of(name: str, config: dict[str, Any]) -> Device:
    """`cpu` or `cuda`, prepared as the rules that train do it."""
    # A processor computes as the rules say that it always does.
    settings = {"precision": "fp32", "compile": False, "deterministic": True}
    if name == "cuda":
        settings = config["gpu"]
    threads = min(config["threads_per_training"], len(os.sched_getaffinity(0)))
    return prepare_device(settings_from(DeviceSettings, {"name": name, **settings}), threads)


def timed_on(
    device: str,
    work: Callable[[], object],
    reference: Callable[[], object] | None = None,
    *,
    runs: int = 3,
) -> Timing:
    """`measuring.side_by_side`; a GPU is waited for, and the memory is the GPU's."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    memory = partial(peak_memory, device)
    return side_by_side(work, reference, runs=runs, wait=wait, memory=memory)


def peak_memory(device: str) -> float:
    """The most MiB that this process ever held: of a GPU's memory, or else of the processor's."""
    return torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else peak_memory_mib()


def threads_of(device: str) -> str:
    """How many of torch's threads compute, for the name of a row; nothing where a GPU does."""
    count = torch.get_num_threads()
    return "" if device == "cuda" else f", {count} thread{'s' * (count > 1)}"
