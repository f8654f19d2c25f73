"""The training loop of every model: steps, validation, history, checkpoints.

All random numbers of step n depend only on the seed and n, so that a training that was killed and
resumed ends bit-identical to an uninterrupted one.
"""

import math
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from brainuad.compute.compilation import compile_costly_parts
from brainuad.compute.device import Device
from brainuad.compute.machine import device_name
from brainuad.config.models import TrainingSettings
from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.io.progress import progress_bar
from brainuad.models import NOT_TRAINED_YET, Trainable
from brainuad.models.checkpoints import Checkpoint, fingerprint
from brainuad.training.sampling import count_steps_per_epoch
from brainuad.training.signals import noting_signals
from brainuad.training.steps import build_optimizer, load_optimizer, rehearse_step, take_step
from brainuad.training.validation import validate

HISTORY_COLUMNS = ["epoch", "step", "training_loss", "validation_loss", "seconds"]
MACHINE_COLUMNS = ["from_step", "device", "torch", "precision", "compiled", "deterministic"]


@dataclass
class Progress:
    """The state of a training outside the network and the optimizer.

    loss_sum, seconds  of the current epoch
    best               the state of the network with the lowest validation loss
    machines           each machine and the step from which it computed, rows of MACHINE_COLUMNS
    """

    step: int = 0
    loss_sum: Any = 0.0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_loss: float = math.inf
    best_step: int = 0
    machines: list[dict[str, Any]] = field(default_factory=list)


def train(
    model: Trainable,
    *,
    training_images: Tensor,
    validation_images: Tensor,
    settings: TrainingSettings,
    seed: int,
    device: Device,
    checkpoint: Checkpoint,
    checkpoint_minutes: float,
    model_settings: dict[str, Any],
    code: str,
) -> Progress:
    """Train a model on volumes float32 [N, S, H, W], which stay on the device.

    checkpoint          the training resumes from it if it has the same settings, data, seed, first
                        weights, code and precision; one line of the log says so if it was saved
                        with another device or torch, or compiled and now is not
    checkpoint_minutes  the most minutes of work that a kill may cost
    code                a digest of the code behind the script

    On SIGTERM or Ctrl-C it saves a checkpoint and exits with 128 + the signal's number. Raises
    SettingsError for too few volumes, and if a loss is not finite.
    """
    steps_per_epoch = count_steps_per_epoch(
        volumes=len(training_images),
        slices_per_volume=settings.slices_per_volume,
        batch_size=settings.batch_size,
    )
    if len(validation_images) == 0:
        raise SettingsError("no volume to validate on: raise the split's number for validation")
    identity = fingerprint(
        {
            "model": model_settings,
            "training": asdict(settings),
            "training images": training_images,
            "validation images": validation_images,
            "seed": seed,
            "first weights": model.network.state_dict(),
            "code": code,
            # Any other setting of the device may change when a training is resumed.
            "precision": device.settings.precision,
        }
    )
    images, held_out = training_images.to(device.torch), validation_images.to(device.torch)
    network = model.network.to(device.torch, memory_format=device.eager_format)
    draws = {"settings": settings, "seed": seed, "device": device}
    compiled = compile_costly_parts(network, device, lambda: rehearse_step(model, images, **draws))
    optimizer = build_optimizer(network, settings)
    progress = Progress()
    if saved := checkpoint.load(identity, device.torch):
        network.load_state_dict(saved["network"])
        load_optimizer(optimizer, saved["optimizer"])
        progress = Progress(**saved["progress"])
        job.log(f"resumed after step {progress.step} of {settings.steps}")
    # Otherwise it would stay on the device, as a second network.
    del saved
    note_machine(progress, device, compiled=compiled)

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
            progress.loss_sum += take_step(model, images, optimizer, step=step, **draws)
            progress.step = step + 1
            progress.seconds += time.monotonic() - started
            if progress.step % steps_per_epoch == 0 or progress.step == settings.steps:
                finish_epoch(model, held_out, progress, steps_per_epoch, **draws)
            if signals or time.monotonic() - saved_at >= 60 * checkpoint_minutes:
                save()
                saved_at = time.monotonic()
                # Checked again, since a signal may have arrived while the checkpoint was saved.
                if signals:
                    job.log(
                        f"stopped by a signal after step {progress.step}; run again to continue"
                    )
                    raise SystemExit(128 + signals[0])
    return progress


def note_machine(progress: Progress, device: Device, *, compiled: bool) -> None:
    """Note in the progress which machine computes from here on; log one line if it changed."""
    here = {
        "device": device_name(device.torch),
        "torch": str(torch.__version__),
        "precision": device.settings.precision,
        "compiled": compiled,
        "deterministic": device.settings.deterministic,
    }
    before = progress.machines[-1] if progress.machines else {}
    changes = [
        f"{name} was {before[name]}, is {value}"
        for name, value in here.items()
        if before and before[name] != value
    ]
    if changes:
        job.log(f"continuing elsewhere, so the last digits differ: {'; '.join(changes)}")
    if changes or not before:
        progress.machines.append({"from_step": progress.step, **here})


def finish_epoch(
    model: Trainable,
    held_out: Tensor,
    progress: Progress,
    steps_per_epoch: int,
    *,
    settings: TrainingSettings,
    seed: int,
    device: Device,
) -> None:
    """Validate if it is due, keep the best weights, and add the epoch to the history."""
    started = time.monotonic()
    epoch = math.ceil(progress.step / steps_per_epoch)
    steps = progress.step - (epoch - 1) * steps_per_epoch
    training_loss = float(progress.loss_sum) / steps
    check_finite(training_loss, name=f"loss of epoch {epoch}")
    validation_loss = math.nan
    if epoch % settings.validation.every_epochs == 0 or progress.step == settings.steps:
        validation_loss = validate(
            model, held_out, step=progress.step, settings=settings, seed=seed, device=device
        )
        check_finite(validation_loss, name=f"validation loss of epoch {epoch}")
        if validation_loss < progress.best_loss:
            state = model.network.state_dict()
            progress.best = {name: tensor.detach().clone() for name, tensor in state.items()}
            progress.best_loss, progress.best_step = validation_loss, progress.step
        if validation_loss == NOT_TRAINED_YET:
            validation_loss = math.nan
    seconds = progress.seconds + time.monotonic() - started
    row = (epoch, progress.step, training_loss, validation_loss, round(seconds, 3))
    progress.history.append(dict(zip(HISTORY_COLUMNS, row, strict=True)))
    progress.loss_sum, progress.seconds = 0.0, 0.0
    job.log(
        f"epoch {epoch}, step {progress.step} of {settings.steps}: training loss "
        f"{training_loss:.5f}, validation loss {validation_loss:.5f}, {seconds:.1f} s"
    )


def check_finite(loss: float, *, name: str) -> None:
    """Raise SettingsError with what to change if a loss is NaN or infinite."""
    if not math.isfinite(loss):
        raise SettingsError(
            f"training diverged: the {name} is {loss}; "
            "lower training.learning_rate or raise training.warmup_steps"
        )
