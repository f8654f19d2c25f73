"""One step of a training: its batch, random numbers, loss and optimizer.

All random numbers of step n depend only on the seed and n.
"""

import math
from typing import Any

import torch
from torch import Tensor

from brainuad.compute.device import Device
from brainuad.config.models import TrainingSettings
from brainuad.io.seeds import derive_seed
from brainuad.models import Trainable
from brainuad.training.augmentation import augment
from brainuad.training.sampling import draw_batch


def take_step(
    model: Trainable,
    images: Tensor,
    optimizer: torch.optim.Optimizer,
    *,
    step: int,
    settings: TrainingSettings,
    seed: int,
    device: Device,
) -> Tensor:
    """Take one optimizer step, and return its loss (float64, on the device).

    It never waits for the device, so that the CPU can prepare the next steps.
    """
    loss = step_loss(model, images, step=step, settings=settings, seed=seed, device=device)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * rate_factor(step, settings)
    optimizer.step()
    return loss.detach().double()


def step_loss(
    model: Trainable,
    images: Tensor,
    *,
    step: int,
    settings: TrainingSettings,
    seed: int,
    device: Device,
) -> Tensor:
    """Draw a step's batch, and compute its loss (float32, on the device)."""
    drawn = draw_batch(
        step,
        volumes=images.shape[0],
        slices=images.shape[1],
        slices_per_volume=settings.slices_per_volume,
        batch_size=settings.batch_size,
        seed=seed,
    )
    volumes, slices = device.to_device(torch.stack(drawn))
    batch = images[volumes, slices][:, None]
    generator = torch.Generator().manual_seed(derive_seed(seed, "step", step))
    if settings.augmentation is not None:
        batch = augment(batch, settings.augmentation, generator)
    # Layers draw from the default generator (stochastic depth).
    torch.manual_seed(derive_seed(seed, "layers", step))
    model.network.train()
    with device.autocast():
        return model.training_loss(batch, generator, step)


def rehearse_step(
    model: Trainable, images: Tensor, *, settings: TrainingSettings, seed: int, device: Device
) -> None:
    """Compute a step's loss and gradients without a lasting change of the network."""
    network = model.network
    # A step changes the running means of norms.
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    try:
        step_loss(model, images, step=0, settings=settings, seed=seed, device=device).backward()
    finally:
        network.load_state_dict(before)
        network.zero_grad(set_to_none=True)


def rate_factor(step: int, settings: TrainingSettings) -> float:
    """The learning rate of a step, counted from 0, relative to the setting."""
    if step < settings.warmup_steps:
        return (step + 1) / settings.warmup_steps
    if settings.decay == "constant":
        return 1.0
    part = (step - settings.warmup_steps) / (settings.steps - settings.warmup_steps)
    return (1 + math.cos(math.pi * part)) / 2


def build_optimizer(network: torch.nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """The optimizer of the settings, for all parameters of the network."""
    # ASSUME: weight decay applies to all parameters, including norms and biases, as released.
    classes = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    return classes[settings.optimizer](
        network.parameters(),
        lr=settings.learning_rate,
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load a saved state, with the memory format of the parameters.

    Fused optimizers read numbers in the order of memory: a state that was saved with channels last
    would silently be applied to the wrong weights of a network with channels first.
    """
    optimizer.load_state_dict(state)
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if value.shape == parameter.shape:
                values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
