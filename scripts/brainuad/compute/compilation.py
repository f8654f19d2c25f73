"""Use torch.compile for the costly parts of a network if it works, and run uncompiled if not."""

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

# Texts in errors of a GPU that has no memory left or does not respond.
DEVICE_ERRORS = ("CUDA error", "CUDA out of memory", "CUBLAS_STATUS", "CUDNN_STATUS")

_compiled: WeakSet[nn.Module] = WeakSet()
# Why this process no longer compiles; empty as long as it does.
_failures: list[str] = []


def compile_costly_parts(
    network: nn.Module, device: Device, rehearsal: Callable[[], object]
) -> bool:
    """Compile each module with the attribute `worth_compiling`, if the device's settings say so.

    rehearsal  runs once the computation that is to be fast; modules are compiled for its shape only

    The modules are compiled in place and keep the names of their weights, whose memory format
    becomes channels last: build the optimizer afterwards. Returns whether the modules are compiled,
    now or by an earlier call.

    If they cannot be compiled (no compiler, an unknown GPU), this process compiles nothing, and one
    line of the log says why. Errors of the rehearsal are raised if memory is exhausted or the GPU
    failed: without compilation it would need even more memory.
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
        # On a GPU, convolutions in bfloat16 need channels last, and compiled norms keep them.
        network.to(memory_format=torch.channels_last)
        try:
            for part in parts:
                part.compile(dynamic=False)
            rehearsal()
        # Errors of compilers have no common class. An error of the network itself occurs again
        # when it runs uncompiled.
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
    """What torch.compile needs and this machine lacks, and how to get it; None if it has all.

    Triton builds the launchers of a GPU's kernels with a C compiler, Inductor builds a CPU's
    kernels with a C++ compiler; both need Python's headers.
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
    """A context in which modules run uncompiled: another shape would be compiled again."""
    if not device.settings.compile:
        return nullcontext()
    return torch.compiler.set_stance("force_eager")


def _is_of_the_device(error: Exception) -> bool:
    """Whether memory or the GPU failed, in this error or in one that a compiler's error wraps."""
    return any(
        isinstance(cause, torch.OutOfMemoryError | torch.AcceleratorError | MemoryError)
        or any(text in str(cause) for text in DEVICE_ERRORS)
        for cause in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, its causes and contexts."""
    waiting, seen = [error], set()
    while waiting:
        cause = waiting.pop()
        if cause is not None and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            inner = getattr(cause, "inner_exception", None)
            waiting += [cause.__cause__, cause.__context__, inner]
