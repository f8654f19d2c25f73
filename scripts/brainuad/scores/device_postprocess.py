"""Anomaly maps on the device that reconstructs, equal to `postprocess` bit for bit.

It pays on a GPU that an experiment holds anyway. On a CPU `postprocess` is faster, and it is
what the rules without PyTorch use.
"""

import numpy as np
import torch
from torch.nn import functional

from brainuad.config.evaluation import PostprocessingSettings

# What the windows of the median filter may take of the device's memory.
BYTES_AT_A_TIME = 2**29
# Each voxel of a window: its value, the sorted value, and the place it is sorted from.
BYTES_PER_VALUE = 4 + 4 + 8


@torch.inference_mode()
def anomaly_map(
    scores: np.ndarray,
    brain_mask: np.ndarray,
    settings: PostprocessingSettings,
    device: torch.device,
) -> np.ndarray:
    """As `postprocess.anomaly_map`; ValueError for unequal shapes and another type than float32."""
    if scores.shape != brain_mask.shape:
        raise ValueError(f"scores have shape {scores.shape}, the brain mask {brain_mask.shape}")
    if scores.dtype != np.float32:
        raise ValueError(f"expected scores of float32, got {scores.dtype}")
    found, brain = (torch.from_numpy(array).to(device) for array in (scores, brain_mask))
    if not torch.isfinite(found).all():
        raise ValueError("the anomaly scores hold NaN or infinity: did training diverge?")
    mask = eroded_mask(brain, settings.erosion_iterations)
    for position, step in enumerate(settings.order):
        if step == "erosion":
            found = found.where(mask, 0)
        else:
            later = "erosion" in settings.order[position + 1 :]
            found = median_filtered(found, settings.median_size, within=mask if later else None)
    return found.cpu().numpy()


def eroded_mask(brain: torch.Tensor, iterations: int) -> torch.Tensor:
    """As `postprocess.eroded_mask`: bool [S, H, W], a 2-D cross in each slice."""
    for _ in range(iterations):
        outside = functional.pad(brain, (1, 1, 1, 1))
        rows, columns = outside[:, :, 1:-1], outside[:, 1:-1]
        brain = brain & rows[:, :-2] & rows[:, 2:] & columns[..., :-2] & columns[..., 2:]
    return brain


def median_filtered(
    volume: torch.Tensor, size: int, *, within: torch.Tensor | None = None
) -> torch.Tensor:
    """As `postprocess.median_filtered`: float32 [S, H, W] >= 0, equal to scipy's filter."""
    padded = volume
    for axis in range(volume.ndim):
        places = _mirrored_places(volume.shape[axis], size // 2).to(volume.device)
        padded = padded.index_select(axis, places)
    middle = size**3 // 2
    positive = (padded > 0).int()
    for axis in range(volume.ndim):
        inside = volume.shape[axis]
        positive = sum(positive.narrow(axis, shift, inside) for shift in range(size))
    # Where zeros are the majority the median is 0.
    wanted = positive > middle
    if within is not None:
        wanted &= within
    windows = padded.unfold(0, size, 1).unfold(1, size, 1).unfold(2, size, 1)
    filtered = torch.zeros_like(volume)
    at_a_time = max(1, BYTES_AT_A_TIME // (BYTES_PER_VALUE * size**3))
    for block in wanted.nonzero().split(at_a_time):
        place = block.unbind(dim=1)
        # A GPU sorts up to 128 values in one warp. torch.kthvalue takes a block of threads for each
        # window, and torch.median has no deterministic kernel.
        filtered[place] = windows[place].flatten(1).sort(dim=1).values[:, middle]
    return filtered


def _mirrored_places(length: int, margin: int) -> torch.Tensor:
    """Indices of an axis with a mirrored margin on both sides, its end voxels repeated."""
    places = torch.arange(-margin, length + margin) % (2 * length)
    return torch.minimum(places, 2 * length - 1 - places)
