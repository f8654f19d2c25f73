"""Reconstruct whole volumes with a trained method, many slices at a time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from brainuad.compute.compilation import compile_costly_parts, runs_compiled
from brainuad.compute.device import Device
from brainuad.datasets.splits import TEST, subjects_of
from brainuad.diffusion.noise import keys_of
from brainuad.images.slices import SliceStack
from brainuad.io.errors import SettingsError
from brainuad.io.progress import progress_bar
from brainuad.io.tables import read_table
from brainuad.models import Method

SLICES_AT_A_TIME = {"cpu": 16, "cuda": 128}
# Passes of a slice through the network from which on the time to compile it is won back.
# Reckoned, not measured: half a minute against .6 ms a pass at the paper's size.
COMPILING_PAYS = 50_000


def subjects_to_reconstruct(stack: SliceStack, split: Path, *, slices: Path) -> list[str]:
    """The test subjects of a split that the stack, read from `slices`, has, in the split's order.

    Raises SettingsError if there is none.
    """
    known = set(stack.subjects.tolist())
    subjects = [name for name in subjects_of(read_table(split), TEST) if name in known]
    if not subjects:
        raise SettingsError(
            f"{slices.stem}: none of the test subjects came through the preprocessing; "
            f"{slices.with_suffix('')}_left_out.tsv says why"
        )
    return subjects


def compiling_pays(method: Method, *, slices: int, timesteps: int) -> bool:
    """Whether so many slices, at so many timesteps each, win back the time to compile."""
    # pDDPM paints a slice patch by patch.
    passes = slices * timesteps * getattr(method, "passes_per_timestep", 1)
    return passes >= COMPILING_PAYS


def compile_for_volumes(method: Method, size: Sequence[int], device: Device) -> None:
    """Compile, if the device's settings want it, what is costly of a method.

    size  rows and columns of the slices. Once is enough: a compiled network stays so.
    """
    count = SLICES_AT_A_TIME[device.torch.type]

    def rehearsal() -> None:
        numbers = torch.zeros(count, dtype=torch.int64, device=device.torch)
        slices = torch.zeros(count, 1, *size, device=device.torch)
        with torch.inference_mode(), device.autocast():
            method.reconstruct(slices, timesteps=[1], subject_keys=numbers, places=numbers)

    compile_costly_parts(method.network, device, rehearsal)


def reconstruct_volumes(
    method: Method,
    images: np.ndarray,
    subjects: Sequence[str],
    *,
    timesteps: Sequence[int],
    seed: int,
    device: Device,
) -> np.ndarray:
    """Reconstructions float32 [N, S, H, W] of images float32 [N, S, H, W].

    The noise of a slice follows from the seed, the subject, the slice and the timestep. Raises
    SettingsError for a reconstruction that is not finite, or not within [0, 1].
    """
    count, places = images.shape[:2]
    subject_keys = keys_of(seed, subjects).repeat_interleave(places)
    slice_numbers = torch.arange(places).repeat(count)
    slices = torch.from_numpy(images).flatten(0, 1)[:, None]
    at_a_time = SLICES_AT_A_TIME[device.torch.type]
    if compiling_pays(method, slices=len(slices), timesteps=len(timesteps)):
        compile_for_volumes(method, images.shape[2:], device)
    compiled = runs_compiled(method.network)

    def reconstruct(start: int) -> Tensor:
        end = min(start + at_a_time, len(slices))
        rows = torch.arange(start, end)
        if compiled:
            # It has one shape: the last batch is filled up, with its last slice again and again.
            rows = torch.arange(start, start + at_a_time).clamp(max=end - 1)
        batch = method.reconstruct(
            device.moved(slices[rows]),
            timesteps=timesteps,
            subject_keys=device.moved(subject_keys[rows]),
            places=device.moved(slice_numbers[rows]),
        )
        return batch[: end - start]

    with torch.inference_mode(), device.autocast():
        # They stay on the device, so that none of it waits until all of it is given out.
        reconstructions = torch.empty_like(slices, device=device.torch)
        starts = range(0, len(slices), at_a_time)
        for start in progress_bar(starts, total=len(starts), label="reconstructing"):
            reconstructions[start : start + at_a_time] = reconstruct(start)
        reconstructions = reconstructions.cpu()
    if not torch.isfinite(reconstructions).all():
        raise SettingsError("a reconstruction is not finite: train anew with a lower learning rate")
    if ((reconstructions < 0) | (reconstructions > 1)).any():
        raise SettingsError(
            f"reconstructions reach from {reconstructions.min():.3g} to "
            f"{reconstructions.max():.3g}: the method must cut them to [0, 1]"
        )
    return reconstructions.reshape(images.shape).numpy()
