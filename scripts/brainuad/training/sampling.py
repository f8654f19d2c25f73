"""Choose the slices of a training step and of a validation."""

import torch
from torch import Tensor

from brainuad.io.errors import SettingsError
from brainuad.io.seeds import derive_seed


def count_steps_per_epoch(*, volumes: int, slices_per_volume: int, batch_size: int) -> int:
    """The number of full batches in an epoch; SettingsError if there is none."""
    slices = volumes * slices_per_volume
    if slices < batch_size:
        raise SettingsError(
            f"{volumes} training volumes with training.slices_per_volume {slices_per_volume} do "
            f"not fill a batch of {batch_size}; raise slices_per_volume or lower batch_size"
        )
    return slices // batch_size


def draw_batch(
    step: int, *, volumes: int, slices: int, slices_per_volume: int, batch_size: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Volumes and slices of a step's batch, int64 [B] each; steps count from 0.

    An epoch takes `slices_per_volume` random slices of each volume, including empty ones, in random
    order, and drops the last incomplete batch, as released. The batch depends only on the seed and
    the number of the step.
    """
    # ASSUME: an epoch may take several slices of a volume, for small data sets; the released code
    # takes one.
    rows = volumes * slices_per_volume
    epoch, batch = divmod(step, rows // batch_size)
    generator = torch.Generator().manual_seed(derive_seed(seed, "epoch", epoch))
    order = torch.randperm(rows, generator=generator) % volumes
    drawn = torch.randint(slices, (rows,), generator=generator)
    here = slice(batch * batch_size, (batch + 1) * batch_size)
    return order[here], drawn[here]


def choose_validation_slices(volumes: Tensor, slices_per_volume: int, seed: int) -> Tensor:
    """Evenly spaced slices of each volume [N, S, H, W], in a fixed random order: [M, 1, H, W].

    The order is random, so that the timesteps of the validation do not depend on the slices' height
    in the brain.
    """
    # ASSUME: validation slices are evenly spaced and fixed; the released code draws them each time,
    # as `draw_validation_slices` does.
    count = min(slices_per_volume, volumes.shape[1])
    places = ((torch.arange(count) + 0.5) * volumes.shape[1] / count).long()
    slices = volumes[:, places].flatten(0, 1)
    generator = torch.Generator().manual_seed(derive_seed(seed, "validation slices"))
    return slices[torch.randperm(len(slices), generator=generator)][:, None]


def draw_validation_slices(
    volumes: Tensor, slices_per_volume: int, generator: torch.Generator
) -> Tensor:
    """Random slices of each volume [N, S, H, W], including empty ones: [M, 1, H, W]."""
    rows = torch.arange(len(volumes)).repeat_interleave(slices_per_volume)
    return volumes[rows, torch.randint(volumes.shape[1], rows.shape, generator=generator)][:, None]
