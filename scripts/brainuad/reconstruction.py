"""Reconstruct whole volumes with a trained method, many slices at a time."""

from collections.abc import Sequence

import numpy as np
import torch

from brainuad.errors import SettingsError
from brainuad.methods import Method
from brainuad.noise import keys_of
from brainuad.progress import progress_bar

SLICES_AT_A_TIME = 64


def reconstruct_volumes(
    method: Method,
    images: np.ndarray,
    subjects: Sequence[str],
    *,
    timesteps: Sequence[int],
    seed: int,
    device: torch.device,
) -> np.ndarray:
    """Reconstructions float32 [N, S, H, W] of images float32 [N, S, H, W] in [0, 1].

    The noise of a slice follows from the seed, the subject, the slice and the timestep. Raises
    SettingsError for a reconstruction that is not finite.
    """
    count, places = images.shape[:2]
    subject_keys = keys_of(seed, subjects).repeat_interleave(places)
    slice_numbers = torch.arange(places).repeat(count)
    slices = torch.from_numpy(images).flatten(0, 1)[:, None]
    reconstructions = torch.empty_like(slices)
    starts = range(0, len(slices), SLICES_AT_A_TIME)
    with torch.inference_mode():
        for start in progress_bar(starts, total=len(starts), label="reconstructing"):
            here = slice(start, start + SLICES_AT_A_TIME)
            reconstructions[here] = method.reconstruct(
                slices[here].to(device),
                timesteps=timesteps,
                subject_keys=subject_keys[here].to(device),
                places=slice_numbers[here].to(device),
            ).cpu()
    if not torch.isfinite(reconstructions).all():
        raise SettingsError("a reconstruction is not finite: train anew with a lower learning rate")
    return reconstructions.reshape(images.shape).numpy()
