"""The machine that is measured, in words, without its name."""

import os
import platform
from pathlib import Path

import torch


def described() -> dict[str, str]:
    """From device (cpu, and cuda where there is a GPU) to a description with the versions."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    processor = f"{model}, {cores} cores used, {memory:.0f} GiB of memory"
    machines = {"cpu": f"{processor}; {versions}"}
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        memory = card.total_memory / 2**30
        machines["cuda"] = f"{card.name}, {memory:.0f} GiB, beside {processor}; {versions}"
    return machines
