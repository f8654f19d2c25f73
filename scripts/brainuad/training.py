"""The training loop of every method: batches, steps, validation, history, checkpoints.

Everything random in step n follows from the seed and n, so that a training that was killed and
resumed ends bit-identical to one that was not.
"""

import math
import time
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor

from brainuad import job
from brainuad.augmentation import AugmentationSettings, augment
from brainuad.checkpoints import Checkpoint, fingerprint
from brainuad.errors import SettingsError
from brainuad.methods import Trainable
from brainuad.noise import key_of
from brainuad.progress import progress_bar
from brainuad.sampling import choose_validation_slices, count_steps_per_epoch, draw_batch
from brainuad.signals import noting_signals

HISTORY_COLUMNS = ["epoch", "step", "training_loss", "validation_loss", "seconds"]


class Optimizer(StrEnum):
    """Adam as in the paper's models, AdamW as in SparK."""

    ADAM = "adam"
    ADAMW = "adamw"


class Decay(StrEnum):
    """What the learning rate does after the warm-up."""

    CONSTANT = "constant"
    COSINE = "cosine"


@dataclass(frozen=True)
class ValidationSettings:
    """When to validate (always after the last step), and on how many slices of each volume."""

    every_epochs: int
    slices_per_volume: int


@dataclass(frozen=True)
class TrainingSettings:
    """How to train.

    steps               optimiser steps in all
    batch_size          slices per step
    slices_per_volume   slices drawn from each volume in an epoch (1 as released)
    warmup_steps        steps in which the learning rate rises linearly to its value
    checkpoint_minutes  how much work a kill may cost
    augmentation        None trains on the slices as they are
    """

    steps: int
    batch_size: int
    slices_per_volume: int
    optimizer: Optimizer
    learning_rate: float
    weight_decay: float
    betas: tuple[float, ...]
    warmup_steps: int
    decay: Decay
    validation: ValidationSettings
    checkpoint_minutes: float
    augmentation: AugmentationSettings | None

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "slices_per_volume"):
            if getattr(self, name) < 1:
                raise SettingsError(f"training.{name} is {getattr(self, name)}, expected 1 or more")
        if min(self.validation.every_epochs, self.validation.slices_per_volume) < 1:
            raise SettingsError(f"training.validation: expected 1 or more, got {self.validation}")
        if self.learning_rate <= 0:
            raise SettingsError(f"training.learning_rate is {self.learning_rate}, expected > 0")
        if not 0 <= self.warmup_steps < self.steps:
            raise SettingsError(
                f"training.warmup_steps is {self.warmup_steps}, expected under {self.steps} steps"
            )


@dataclass
class Progress:
    """All of a training's state outside the network and the optimiser.

    loss_sum and seconds are of the epoch in progress, best is the state of the best validation.
    """

    step: int = 0
    loss_sum: Any = 0.0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_loss: float = math.inf
    best_step: int = 0


def train(
    method: Trainable,
    *,
    training_images: Tensor,
    validation_images: Tensor,
    settings: TrainingSettings,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint,
    method_settings: dict[str, Any],
    code: str,
) -> Progress:
    """Train a method on volumes float32 [N, S, H, W] in [0, 1], which stay on the device.

    Resumes from the checkpoint where there is one of the same settings, data, seed, first weights,
    code (a digest of the files behind the script) and kind of device. On SIGTERM or Ctrl-C it saves
    a checkpoint and exits with 128 + the signal's number. Raises SettingsError for too few volumes,
    and where a loss is no longer finite.
    """
    steps_per_epoch = count_steps_per_epoch(
        volumes=len(training_images),
        slices_per_volume=settings.slices_per_volume,
        batch_size=settings.batch_size,
    )
    identity = fingerprint(
        {
            "method": method_settings,
            # How often it is saved does not change what comes out.
            "training": asdict(replace(settings, checkpoint_minutes=0)),
            "training images": training_images,
            "validation images": validation_images,
            "seed": seed,
            "first weights": method.network.state_dict(),
            "code": code,
            "device": device.type,
        }
    )
    images = training_images.to(device)
    fixed_slices = choose_validation_slices(
        validation_images, settings.validation.slices_per_volume, seed
    ).to(device)
    # Measured: a step of the demo is a tenth shorter than with the channels in front.
    network = method.network.to(device, memory_format=torch.channels_last)
    optimizer = build_optimizer(network, settings)
    progress = Progress()
    if saved := checkpoint.load(identity, device):
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        progress = Progress(**saved["progress"])
        job.log(f"resumed after step {progress.step} of {settings.steps}")

    def save() -> None:
        checkpoint.save(
            identity,
            {
                "network": network.state_dict(),
                "optimizer": optimizer.state_dict(),
                "progress": vars(progress),
            },
        )

    saved_at = time.monotonic()
    remaining = range(progress.step, settings.steps)
    with noting_signals() as signals:
        for step in progress_bar(
            remaining, total=settings.steps, initial=progress.step, label="training"
        ):
            started = time.monotonic()
            progress.loss_sum += take_step(
                method, images, optimizer, step=step, settings=settings, seed=seed
            )
            progress.step = step + 1
            progress.seconds += time.monotonic() - started
            if progress.step % steps_per_epoch == 0 or progress.step == settings.steps:
                finish_epoch(method, fixed_slices, progress, steps_per_epoch, settings, seed)
            if signals:
                save()
                job.log(f"stopped by a signal after step {progress.step}; run again to go on")
                raise SystemExit(128 + signals[0])
            if time.monotonic() - saved_at >= 60 * settings.checkpoint_minutes:
                save()
                saved_at = time.monotonic()
    return progress


def take_step(
    method: Trainable,
    images: Tensor,
    optimizer: torch.optim.Optimizer,
    *,
    step: int,
    settings: TrainingSettings,
    seed: int,
) -> Tensor:
    """Draw a batch, take one optimiser step, and return the loss (float64, on the device)."""
    volumes, slices = draw_batch(
        step,
        volumes=images.shape[0],
        slices=images.shape[1],
        slices_per_volume=settings.slices_per_volume,
        batch_size=settings.batch_size,
        seed=seed,
    )
    batch = images[volumes.to(images.device), slices.to(images.device)][:, None]
    generator = torch.Generator().manual_seed(key_of(seed, "step", step))
    if settings.augmentation is not None:
        batch = augment(batch, settings.augmentation, generator)
    # Layers draw from the default generator (stochastic depth).
    torch.manual_seed(key_of(seed, "layers", step))
    method.network.train()
    loss = method.training_loss(batch, generator)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * rate_factor(step, settings)
    optimizer.step()
    return loss.detach().double()


def finish_epoch(
    method: Trainable,
    fixed_slices: Tensor,
    progress: Progress,
    steps_per_epoch: int,
    settings: TrainingSettings,
    seed: int,
) -> None:
    """Validate if it is time, remember the best weights, and write the epoch into the history."""
    started = time.monotonic()
    epoch = math.ceil(progress.step / steps_per_epoch)
    steps = progress.step - (epoch - 1) * steps_per_epoch
    training_loss = float(progress.loss_sum) / steps
    check_finite(training_loss, name=f"loss of epoch {epoch}")
    validation_loss = math.nan
    if epoch % settings.validation.every_epochs == 0 or progress.step == settings.steps:
        validation_loss = validate(method, fixed_slices, settings.batch_size, seed)
        check_finite(validation_loss, name=f"validation loss of epoch {epoch}")
        if validation_loss < progress.best_loss:
            state = method.network.state_dict()
            progress.best = {name: tensor.detach().clone() for name, tensor in state.items()}
            progress.best_loss, progress.best_step = validation_loss, progress.step
    seconds = progress.seconds + time.monotonic() - started
    row = (epoch, progress.step, training_loss, validation_loss, round(seconds, 3))
    progress.history.append(dict(zip(HISTORY_COLUMNS, row, strict=True)))
    progress.loss_sum, progress.seconds = 0.0, 0.0
    job.log(
        f"epoch {epoch}, step {progress.step} of {settings.steps}: training loss "
        f"{training_loss:.5f}, validation loss {validation_loss:.5f}, {seconds:.1f} s"
    )


def check_finite(loss: float, *, name: str) -> None:
    """Raise SettingsError with what to change where a loss is NaN or infinite."""
    if not math.isfinite(loss):
        raise SettingsError(
            f"training diverged: the {name} is {loss}; "
            "lower training.learning_rate or raise training.warmup_steps"
        )


def validate(method: Trainable, fixed_slices: Tensor, batch_size: int, seed: int) -> float:
    """Mean loss of the fixed slices [M, 1, H, W]; no chance but one that is the same each time."""
    method.network.eval()
    total = 0.0
    with torch.no_grad():
        for number, batch in enumerate(fixed_slices.split(batch_size)):
            generator = torch.Generator().manual_seed(key_of(seed, "validation", number))
            total += float(method.validation_loss(batch, generator)) * len(batch)
    return total / len(fixed_slices)


def rate_factor(step: int, settings: TrainingSettings) -> float:
    """The learning rate of a step, counted from 0, relative to the setting."""
    if step < settings.warmup_steps:
        return (step + 1) / settings.warmup_steps
    if settings.decay is Decay.CONSTANT:
        return 1.0
    part = (step - settings.warmup_steps) / (settings.steps - settings.warmup_steps)
    return (1 + math.cos(math.pi * part)) / 2


def build_optimizer(network: torch.nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """The optimiser of the settings, over all parameters of the network."""
    # ASSUME: weight decay acts on all parameters, norms and biases too, as released.
    classes = {Optimizer.ADAM: torch.optim.Adam, Optimizer.ADAMW: torch.optim.AdamW}
    return classes[settings.optimizer](
        network.parameters(),
        lr=settings.learning_rate,
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        fused=True,
    )
