"""Which device torch computes on, and that it computes the same each time."""

import os

import torch

from brainuad.errors import SettingsError


def prepare_device(name: str, threads: int) -> torch.device:
    """Choose `cpu`, `cuda` or, for `auto`, a GPU where there is one, and set torch's threads.

    Raises SettingsError for another name, and for `cuda` where torch sees no GPU.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise SettingsError(f"device: {name!r} is not one of auto, cpu, cuda")
    available = name != "cpu" and torch.cuda.is_available()
    if name == "cuda" and not available:
        raise SettingsError(
            "device: cuda is asked for, but torch sees no GPU; set device to auto or cpu, "
            "or check the driver and CUDA_VISIBLE_DEVICES"
        )
    torch.set_num_threads(threads)
    if available:
        # A resumed training must end bit-identical: no algorithm whose sums change their order.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)
        # Only the math kernel of attention is left: the fused ones are not deterministic backwards.
        torch.backends.cuda.enable_flash_sdp(False)
        torch.backends.cuda.enable_mem_efficient_sdp(False)
        torch.backends.cuda.enable_cudnn_sdp(False)
    return torch.device("cuda" if available else "cpu")
