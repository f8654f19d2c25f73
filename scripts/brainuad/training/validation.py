"""One validation: its slices, random numbers and loss.

It has the same slices and random numbers each time, so that the lowest loss is that of the best
network. With `redrawn`, as released, everything is drawn again each time, and the lowest loss is
partly luck; even then it depends only on the seed and the number of the step.
"""

import torch
from torch import Tensor

from brainuad.compute.compilation import eagerly
from brainuad.compute.device import Device
from brainuad.config.models import TrainingSettings
from brainuad.io.seeds import derive_seed
from brainuad.models import Trainable
from brainuad.training.augmentation import augment
from brainuad.training.sampling import choose_validation_slices, draw_validation_slices


def validate(
    model: Trainable,
    volumes: Tensor,
    *,
    step: int,
    settings: TrainingSettings,
    seed: int,
    device: Device,
) -> float:
    """Mean loss of slices of volumes [N, S, H, W] on the device, after the given step."""
    redrawn = settings.validation.redrawn
    count = settings.validation.slices_per_volume
    if redrawn:
        slices = redraw_slices(volumes, step=step, settings=settings, seed=seed)
    else:
        slices = choose_validation_slices(volumes, count, seed)
    names = ("validation", step) if redrawn else ("validation",)
    model.network.eval()
    total = torch.zeros((), dtype=torch.float64, device=device.torch)
    with torch.no_grad(), device.autocast(), eagerly(device):
        for number, batch in enumerate(slices.split(settings.batch_size)):
            generator = torch.Generator().manual_seed(derive_seed(seed, *names, number))
            if redrawn:
                # It draws the timesteps, while the validation loss has evenly spaced ones.
                loss = model.training_loss(batch, generator, step)
            else:
                loss = model.validation_loss(batch, generator)
            total += loss.double() * len(batch)
    return float(total) / len(slices)


def redraw_slices(volumes: Tensor, *, step: int, settings: TrainingSettings, seed: int) -> Tensor:
    """Random slices of each volume, augmented as in training: [M, 1, H, W]."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "validation slices", step))
    slices = draw_validation_slices(volumes, settings.validation.slices_per_volume, generator)
    if settings.augmentation is None:
        return slices
    return augment(slices, settings.augmentation, generator)
