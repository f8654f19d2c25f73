"""The measured machine in words, without its host name."""

import os
import platform

import torch

from brainuad.compute.machine import cpu_name


def described() -> dict[str, str]:
    """From device (cpu, and cuda where there is a GPU) to a description with the versions."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    cpu = f"{cpu_name()}, {cores} cores used, {memory:.0f} GiB of memory"
    machines = {"cpu": f"{cpu}; {versions}"}
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        machines["cuda"] = f"{card.name}, {card.total_memory / 2**30:.0f} GiB; {cpu}; {versions}"
    return machines
