"""torch.compile for the costly parts of a network, where it works; elsewhere all runs as it is."""

import os
import shutil
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from weakref import WeakSet

import torch
from torch import nn

from brainuad.compute.device import Device
from brainuad.io.job import log

# What libraries below torch say of a GPU that has no memory left, or does not answer.
DEVICE_ERRORS = ("CUDA error", "CUDA out of memory", "CUBLAS_STATUS", "CUDNN_STATUS")

_compiled: WeakSet[nn.Module] = WeakSet()
# Why this process compiles nothing more; empty as long as it does.
_failures: list[str] = []


def compile_costly_parts(
    network: nn.Module, device: Device, rehearsal: Callable[[], object]
) -> bool:
    """Compile, if the device's settings want it, each module that says `worth_compiling`.

    The modules are compiled in place, for the one shape that the rehearsal has, and keep the names
    of their weights, which then lie with the channels last: build the optimiser afterwards. The
    rehearsal does once what is to be fast later. Returns whether the modules run compiled, now or
    since an earlier call.

    Where they cannot be compiled (no compiler, an unknown GPU), this process compiles nothing, and
    one line of the log says why. Raises what the rehearsal raises for want of memory, or because
    the GPU failed: without compiling it would need still more.
    """
    parts = [module for module in network.modules() if getattr(module, "worth_compiling", False)]
    if not device.settings.compile or not parts:
        return False
    if all(part in _compiled for part in parts):
        return True
    if _failures:
        return False
    started = time.monotonic()
    reason = what_compiling_lacks(device.torch.type)
    if reason is None:
        # A GPU's convolutions in bfloat16 want the channels last, and compiled norms leave them so.
        network.to(memory_format=torch.channels_last)
        try:
            for part in parts:
                part.compile(dynamic=False)
            rehearsal()
        # What a compiler can raise has no common class. An error of the network's own comes again.
        except Exception as error:
            if _is_of_the_device(error):
                raise
            network.to(memory_format=device.eager_format)
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    if reason is not None:
        torch.compiler.set_stance("force_eager")
        _failures.append(reason)
        log(f"torch.compile fails here, computing without it ({reason})")
        return False
    _compiled.update(parts)
    log(f"compiled in {time.monotonic() - started:.0f} s")
    return True


def runs_compiled(network: nn.Module) -> bool:
    """Whether `compile_costly_parts` compiled a part of this network."""
    return any(module in _compiled for module in network.modules())


def what_compiling_lacks(device_type: str) -> str | None:
    """What torch.compile builds with and this machine lacks, and how to get it; None for nothing.

    Triton builds the launchers of a GPU's kernels with a C compiler, Inductor a CPU's kernels with
    one for C++; both include Python's headers.
    """
    variable, names, packages = {
        "cuda": ("CC", ("gcc", "clang"), "gcc of Debian, gcc_linux-64 of conda-forge"),
        "cpu": ("CXX", ("g++",), "g++ of Debian, gxx_linux-64 of conda-forge"),
    }[device_type]
    wanted = (os.environ[variable],) if variable in os.environ else names
    if not any(shutil.which(name) for name in wanted):
        return (
            f"it needs a compiler, and there is no {' or '.join(wanted)}; "
            f"install the package {packages}, or name one in {variable}"
        )
    headers = Path(sysconfig.get_path("include"))
    if not (headers / "Python.h").is_file():
        return (
            f"it needs Python's headers, and {headers} has no Python.h; install the package "
            f"python{sysconfig.get_python_version()}-dev of Debian, or a Python of conda-forge"
        )
    return None


def eagerly(device: Device) -> AbstractContextManager:
    """Inside it compiled modules run as written: another shape would be compiled anew."""
    if not device.settings.compile:
        return nullcontext()
    return torch.compiler.set_stance("force_eager")


def _is_of_the_device(error: Exception) -> bool:
    """Whether memory, or the GPU, is what failed: here, or in what a compiler's error wraps."""
    return any(
        isinstance(cause, torch.OutOfMemoryError | torch.AcceleratorError | MemoryError)
        or any(text in str(cause) for text in DEVICE_ERRORS)
        for cause in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it."""
    waiting, seen = [error], set()
    while waiting:
        cause = waiting.pop()
        if cause is not None and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            inner = getattr(cause, "inner_exception", None)
            waiting += [cause.__cause__, cause.__context__, inner]
