"""Which device torch computes on, and how: precision, repeatability, copies without waiting."""

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
    """A device made ready by `prepare_device`; `torch` is the device as torch knows it."""

    torch: torch.device
    settings: DeviceSettings

    def autocast(self) -> AbstractContextManager:
        """Inside it, networks compute in the precision of the settings."""
        if self.settings.precision == "bf16":
            return torch.autocast(self.torch.type, dtype=torch.bfloat16)
        return nullcontext()

    @property
    def eager_format(self) -> torch.memory_format:
        """How weights and maps lie in networks that run as they are written.

        On a CPU channels last: measured, steps are as fast or faster than with the channels first,
        at 16, 32 and 128 channels. A GPU's GroupNorm works on channels first alone, and would copy
        each map there and back.
        """
        if self.torch.type == "cpu":
            return torch.channels_last
        return torch.contiguous_format

    def to_device(self, tensor: Tensor) -> Tensor:
        """The tensor on this device; see `to_device`."""
        return to_device(tensor, self.torch)


def without_autocast(device: torch.device) -> AbstractContextManager:
    """Inside it, layers compute in float32; torch knows no autocast of tensors without memory."""
    if device.type == "meta":
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device, without waiting for what that is still computing.

    A GPU's own copy engine reads pinned memory; any other memory would have the CPU wait
    until all work given to the GPU so far is done.
    """
    if device.type == "cpu" or tensor.device.type != "cpu":
        return tensor.to(device)
    # Without a GPU there is nothing to pin for, and torch refuses to.
    pinned = tensor if device.type == "meta" else tensor.pin_memory()
    return pinned.to(device, non_blocking=True)


def prepare_device(settings: DeviceSettings, threads: int) -> Device:
    """Make a device ready, and set torch's threads. Call it before anything is computed.

    Numbers below 1e-38 count as 0 on the CPU: networks make them where a derivative fades out, and
    a CPU computes many times slower with them. On `cuda` this process claims a GPU of its own until
    it ends, and waits for one while all are taken. Raises SettingsError for `cuda` where torch sees
    no GPU.
    """
    # Threads take this over from the one that starts them.
    torch.set_flush_denormal(True)
    torch.set_num_threads(threads)
    if settings.name == "cpu":
        return Device(torch.device("cpu"), settings)
    if not torch.cuda.is_available():
        raise SettingsError(
            "device: cuda is asked for, but torch sees no GPU; check the driver and "
            "CUDA_VISIBLE_DEVICES, or set device to cpu in the config (takes weeks at the paper's "
            "size)"
        )
    index = gpus.claim(gpus.visible_gpus())
    torch.cuda.set_device(index)
    # What is left in float32 stays float32: TF32 keeps 11 of its 24 bits.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = not settings.deterministic
    if settings.deterministic:
        _compute_the_same_each_time()
    return Device(torch.device("cuda", index), settings)


def _compute_the_same_each_time() -> None:
    """A resumed training must end bit-identical: no algorithm whose sums change their order."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # It also makes torch.compile choose kernels without measuring them, as two runs of one
    # measurement may differ.
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Switched on by the line above, it writes each new tensor twice. Nothing here reads before it
    # writes.
    torch.utils.deterministic.fill_uninitialized_memory = False
    # Only the math kernel of attention is left: the fused ones are not deterministic backwards.
    torch.backends.cuda.enable_flash_sdp(False)
    torch.backends.cuda.enable_mem_efficient_sdp(False)
    torch.backends.cuda.enable_cudnn_sdp(False)
