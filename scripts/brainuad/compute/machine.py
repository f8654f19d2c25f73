"""The machine that computes, which changes the last digits of results."""

import platform
from pathlib import Path

import torch


def cpu_name() -> str:
    """The CPU's model with the widest vector instructions that torch uses: AMD EPYC, AVX2."""
    models = (
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    )
    return f"{next(models, platform.machine())}, {torch.backends.cpu.get_cpu_capability()}"


def device_name(device: torch.device) -> str:
    """The model of a GPU, or of the CPU, without the machine's name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return cpu_name()
