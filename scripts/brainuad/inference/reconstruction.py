"""Reconstruct whole volumes with a trained model, many slices at a time."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from brainuad.compute.compilation import compile_costly_parts, runs_compiled
from brainuad.compute.device import Device
from brainuad.datasets.partitions import TEST, scans_of
from brainuad.images.slices import Scan, SliceStack
from brainuad.io.errors import SettingsError
from brainuad.io.progress import progress_bar
from brainuad.io.rows import read_rows
from brainuad.io.seeds import subject_seeds
from brainuad.models import Model

SLICES_AT_A_TIME = {"cpu": 16, "cuda": 128}
# Compiling is faster from this number of passes of a slice through the network. It was calculated,
# not measured: half a minute to compile saves .6 ms for each pass at the paper's size.
COMPILING_PAYS = 50_000


def scans_to_reconstruct(stack: SliceStack, split: Path, *, slices: Path) -> list[str]:
    """The names of the test scans in the stack, in the split's order.

    Raises SettingsError, with the stack's file `slices`, if there is none.
    """
    known = set(stack.names)
    names = [name for name in scans_of(read_rows(split), TEST) if name in known]
    if not names:
        raise SettingsError(
            f"{slices.stem}: all test scans were left out in preprocessing; "
            f"{slices.with_suffix('')}_left_out.tsv says why"
        )
    return names


def compile_if_it_pays(
    model: Model,
    shape: Sequence[int],
    *,
    volumes: int,
    timesteps: int,
    device: Device,
    samples: int = 1,
) -> None:
    """Compile for volumes [S, H, W], each with so many timesteps and samples, if it saves time.

    Call it for all volumes: a single group of them may be too small.
    """
    slices, *size = shape
    # A model without timesteps takes one pass; pDDPM reconstructs a slice patch by patch.
    passes = max(timesteps, 1) * samples * getattr(model, "passes_per_timestep", 1)
    if volumes * slices * passes >= COMPILING_PAYS:
        compile_for_volumes(model, size, device)


def compile_for_volumes(model: Model, size: Sequence[int], device: Device) -> None:
    """Compile the costly parts of a model, if the device's settings say so.

    size  rows and columns of the slices

    It is enough to call it once for a model.
    """
    count = SLICES_AT_A_TIME[device.torch.type]

    def rehearsal() -> None:
        numbers = torch.zeros(count, dtype=torch.int64, device=device.torch)
        slices = torch.zeros(count, 1, *size, device=device.torch)
        with torch.inference_mode(), device.autocast():
            model.reconstruct(slices, timesteps=[1], subject_seeds=numbers, slice_indices=numbers)

    compile_costly_parts(model.network, device, rehearsal)


def reconstruct_scans(
    model: Model,
    stack: SliceStack,
    names: Sequence[str],
    *,
    timesteps: Sequence[int],
    seed: int,
    device: Device,
    samples: int = 1,
) -> Iterator[tuple[Scan, np.ndarray]]:
    """Each scan and its reconstruction by `reconstruct_volumes`, with a few volumes in memory.

    Scans that the stack lacks are skipped. The result is bit-identical to `reconstruct_volumes` of
    all volumes at once, since each group of volumes ends with a full batch of slices.
    """
    scans, shape = stack.scans(names), stack.images.shape[1:]
    compile_if_it_pays(
        model,
        shape,
        volumes=len(scans),
        timesteps=len(timesteps),
        samples=samples,
        device=device,
    )
    slices = SLICES_AT_A_TIME[device.torch.type]
    at_a_time = slices // math.gcd(slices, shape[0])
    starts = range(0, len(scans), at_a_time)
    for start in progress_bar(starts, total=len(starts), label="reconstructing"):
        group = scans[start : start + at_a_time]
        reconstructions = reconstruct_volumes(
            model,
            np.stack([scan.image for scan in group]),
            [scan.name for scan in group],
            timesteps=timesteps,
            seed=seed,
            device=device,
            samples=samples,
        )
        yield from zip(group, reconstructions, strict=True)


def reconstruct_volumes(
    model: Model,
    images: np.ndarray,
    names: Sequence[str],
    *,
    timesteps: Sequence[int],
    seed: int,
    device: Device,
    samples: int = 1,
) -> np.ndarray:
    """Reconstructions float32 [N, S, H, W] of images float32 [N, S, H, W].

    Several samples of a `models.SamplingModel` are [N, K, S, H, W]. The noise of a slice depends on
    the seed, the scan, the slice, the timestep and the sample. Raises SettingsError for a
    reconstruction that is not finite, or not within [0, 1].
    """
    count, slices_each = images.shape[:2]
    seeds = subject_seeds(seed, names).repeat_interleave(slices_each)
    slice_indices = torch.arange(slices_each).repeat(count)
    slices = torch.from_numpy(images).flatten(0, 1)[:, None]
    at_a_time = SLICES_AT_A_TIME[device.torch.type]
    compile_if_it_pays(
        model,
        images.shape[1:],
        volumes=count,
        timesteps=len(timesteps),
        samples=samples,
        device=device,
    )
    # Most models do not take this argument.
    several = {"samples": samples} if samples > 1 else {}
    compiled = runs_compiled(model.network)

    def reconstruct(start: int) -> Tensor:
        end = min(start + at_a_time, len(slices))
        rows = torch.arange(start, end)
        if compiled:
            # It needs batches of one shape: the last one is filled with copies of its last slice.
            rows = torch.arange(start, start + at_a_time).clamp(max=end - 1)
        batch = model.reconstruct(
            device.to_device(slices[rows]),
            timesteps=timesteps,
            subject_seeds=device.to_device(seeds[rows]),
            slice_indices=device.to_device(slice_indices[rows]),
            **several,
        )
        return batch[: end - start]

    with torch.inference_mode(), device.autocast():
        # They stay on the device, so that the CPU does not wait for it after each batch.
        shape = (len(slices), samples, *slices.shape[2:])
        reconstructions = torch.empty(shape, dtype=slices.dtype, device=device.torch)
        for start in range(0, len(slices), at_a_time):
            reconstructions[start : start + at_a_time] = reconstruct(start)
        reconstructions = reconstructions.cpu()
    if not torch.isfinite(reconstructions).all():
        raise SettingsError("a reconstruction is not finite: train with a lower learning rate")
    if ((reconstructions < 0) | (reconstructions > 1)).any():
        raise SettingsError(
            f"reconstructions are {reconstructions.min():.3g} to "
            f"{reconstructions.max():.3g}: the model must clip them to [0, 1]"
        )
    by_slice = reconstructions.reshape(count, slices_each, samples, *slices.shape[2:])
    by_sample = by_slice.swapaxes(1, 2).numpy()
    return by_sample if samples > 1 else by_sample[:, 0]
