"""torch.compile for the costly parts of a network, where it works; elsewhere all runs as it is."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from brainuad.device import Device
from brainuad.job import log


def compile_costly_parts(
    network: nn.Module, device: Device, rehearsal: Callable[[], object]
) -> None:
    """Compile, if the device's settings want it, each module that says `worth_compiling`.

    The modules are compiled in place, for the one shape that the rehearsal has, and keep the names
    of their weights. The rehearsal does once what is to be fast later. If it fails (no compiler,
    an unknown GPU), this process compiles nothing, and one line of the log says why.
    """
    parts = [module for module in network.modules() if getattr(module, "worth_compiling", False)]
    if not device.settings.compile or not parts:
        return
    started = time.monotonic()
    try:
        for part in parts:
            part.compile(dynamic=False)
        rehearsal()
    # What a compiler can raise has no common class. An error of the network's own comes again.
    except Exception as error:
        torch.compiler.set_stance("force_eager")
        reason = " ".join(str(error).split())[:200]
        log(f"torch.compile fails here, computing without it ({type(error).__name__}: {reason})")
    else:
        log(f"compiled in {time.monotonic() - started:.0f} s")


def eagerly(device: Device) -> AbstractContextManager:
    """Inside it compiled modules run as written: another shape would be compiled anew."""
    if not device.settings.compile:
        return nullcontext()
    return torch.compiler.set_stance("force_eager")
