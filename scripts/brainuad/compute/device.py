"""The device that torch computes on: precision, determinism, and copies without waiting."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from brainuad.compute import gpus
from brainuad.config.device import DeviceSettings
from brainuad.io.errors import SettingsError


@dataclass(frozen=True)
class Device:
    """A device from `prepare_device`; `torch` is the torch.device."""

    torch: torch.device
    settings: DeviceSettings

    def autocast(self) -> AbstractContextManager:
        """A context in which networks compute in the precision of the settings."""
        if self.settings.precision == "bf16":
            return torch.autocast(self.torch.type, dtype=torch.bfloat16)
        return nullcontext()

    @property
    def eager_format(self) -> torch.memory_format:
        """The memory format of weights and maps in networks that are not compiled.

        Channels last on a CPU: by measurement, steps with 16, 32 and 128 channels are as fast as
        with channels first, or faster. On a GPU, GroupNorm works only on channels first, and would
        copy each map back and forth.
        """
        if self.torch.type == "cpu":
            return torch.channels_last
        return torch.contiguous_format

    def to_device(self, tensor: Tensor) -> Tensor:
        """The tensor on this device; see `to_device`."""
        return to_device(tensor, self.torch)


def without_autocast(device: torch.device) -> AbstractContextManager:
    """A context in which layers compute in float32; there is no autocast on the meta device."""
    if device.type == "meta":
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device, without waiting for the device's pending work.

    A GPU's copy engine reads pinned memory by itself; with other memory, the CPU would wait until
    the GPU has done all pending work.
    """
    if device.type == "cpu" or tensor.device.type != "cpu":
        return tensor.to(device)
    # torch refuses to pin memory without a GPU.
    pinned = tensor if device.type == "meta" else tensor.pin_memory()
    return pinned.to(device, non_blocking=True)


def prepare_device(settings: DeviceSettings, threads: int) -> Device:
    """Prepare a device, and set torch's threads. Call it before anything is computed.

    On the CPU, numbers below 1e-38 count as 0: they occur where derivatives vanish, and a CPU
    computes many times slower with them. On `cuda`, this process claims a GPU of its own until it
    ends, and waits if all are in use. Raises SettingsError for `cuda` if torch sees no GPU.
    """
    # Threads inherit this from the thread that starts them.
    torch.set_flush_denormal(True)
    torch.set_num_threads(threads)
    if settings.name == "cpu":
        return Device(torch.device("cpu"), settings)
    if not torch.cuda.is_available():
        raise SettingsError(
            "device: cuda is set, but torch sees no GPU; check the driver and "
            "CUDA_VISIBLE_DEVICES, or set device to cpu in the config (takes weeks at the paper's "
            "size)"
        )
    index = gpus.claim(gpus.visible_gpus())
    torch.cuda.set_device(index)
    # Computations in float32 must not use TF32, which keeps 11 of the 24 bits.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = not settings.deterministic
    if settings.deterministic:
        _compute_the_same_each_time()
    return Device(torch.device("cuda", index), settings)


def _compute_the_same_each_time() -> None:
    """Use only deterministic algorithms, so that a resumed training ends bit-identical."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # With this, torch.compile chooses kernels without timing them, which could differ between runs.
    torch.use_deterministic_algorithms(True, warn_only=True)
    # The line above switches this on. It writes each new tensor twice, which is not needed, since
    # no code here reads memory before it writes it.
    torch.utils.deterministic.fill_uninitialized_memory = False
    # Only the math kernel of attention has a deterministic backward pass.
    torch.backends.cuda.enable_flash_sdp(False)
    torch.backends.cuda.enable_mem_efficient_sdp(False)
    torch.backends.cuda.enable_cudnn_sdp(False)
