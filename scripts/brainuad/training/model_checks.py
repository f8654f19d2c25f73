"""Try out the settings of models before there are scans, on tensors without memory.

Torch's meta device only computes shapes, so that a step of a network of any size takes seconds.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from brainuad.config.models import TrainingSettings
from brainuad.config.settings import settings_from
from brainuad.io.errors import SettingsError
from brainuad.models import build_trainable, start_from
from brainuad.training.augmentation import augment

# In float32: weights, gradients, Adam's two means, and the best weights.
COPIES_OF_WEIGHTS = 5
BATCH_ON_CPU = 2


@dataclass(frozen=True)
class ModelSize:
    """How large a model is.

    parameters   the number of trained parameters
    step_memory  bytes of a training step in float32: weights, gradients, the optimizer's state and
                 what the backward pass needs of a batch; an estimate without short-lived tensors
    """

    parameters: int
    step_memory: int


def check_model(
    kind: str,
    settings: dict[str, Any],
    training: dict[str, Any] | None,
    *,
    size: tuple[int, int],
    timestep: int | None,
    samples: int = 1,
    pretrained: str | None = None,
) -> ModelSize:
    """Build a model and compute its losses on slices of a size (rows, columns).

    timestep    the model also reconstructs from it; None for a model that does not reconstruct
    samples     if above 1, the model must reconstruct several samples
    pretrained  a file with an encoder that must fit

    Raises SettingsError, one line, for settings with which the model cannot be built, trained, or
    used on such slices.
    """

    def attempt(device: str, batch_size: int | None) -> ModelSize:
        with torch.device(device):
            model = build_trainable(kind, settings)
        if pretrained is not None:
            with warnings.catch_warnings():
                # Names and shapes are compared, but values cannot be copied to the meta device.
                warnings.simplefilter("ignore")
                start_from(Path(pretrained), model)
        place = torch.device(device)
        return _try_out(model, training, size, timestep, min(samples, 2), place, batch_size)

    try:
        try:
            return attempt("meta", None)
        except ValueError:
            raise
        # A kind may need values, which meta tensors do not have: then a small batch on the CPU.
        except Exception:
            return attempt("cpu", BATCH_ON_CPU)
    except SettingsError:
        raise
    # The errors of networks with wrong settings have no common class.
    except Exception as error:
        reason = " ".join(str(error).split())
        shown = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise SettingsError(f"{shown}{reason}") from error


def _try_out(
    model: Any,
    training: dict[str, Any] | None,
    size: tuple[int, int],
    timestep: int | None,
    samples: int,
    device: torch.device,
    batch_size: int | None,
) -> ModelSize:
    parameters = sum(parameter.numel() for parameter in model.network.parameters())
    step_memory = 0
    if parameters:
        if training is None:
            raise SettingsError("there is a network, but training is null; give its settings")
        plan = settings_from(TrainingSettings, training)
        count = batch_size or plan.batch_size
        if plan.augmentation is not None:
            augment(torch.zeros(count, 1, *size), plan.augmentation, torch.Generator())
        images = torch.zeros(count, 1, *size, device=device)
        saved = _take_steps(model, images, plan)
        step_memory = COPIES_OF_WEIGHTS * 4 * parameters + saved * plan.batch_size // count
    if timestep is not None:
        _reconstruct(model, torch.zeros(2, 1, *size, device=device), timestep, samples)
    return ModelSize(parameters=parameters, step_memory=step_memory)


def _take_steps(model: Any, images: Tensor, plan: TrainingSettings) -> int:
    """Compute the losses of the first and last step and of a validation; return the most bytes.

    The bytes are those that the backward pass of a step keeps. Gradients are not computed, since
    they have the shapes of the weights.
    """
    most, last = 0, plan.steps - 1
    model.network.train()
    for step in (0, last):
        loss, kept = _counting_saved(
            lambda step=step: model.training_loss(images, torch.Generator(), step),
            except_for=[*model.network.parameters(), images],
        )
        _check_scalar("training_loss", loss)
        if not loss.requires_grad:
            raise SettingsError(
                "training_loss has no gradient, so nothing would be trained; return the loss "
                "itself, not detached"
            )
        most = max(most, kept)
    model.network.eval()
    with torch.no_grad():
        _check_scalar("validation_loss", model.validation_loss(images, torch.Generator()))
        if plan.validation.redrawn:
            model.training_loss(images, torch.Generator(), last)
    return most


def _counting_saved(
    compute: Callable[[], Tensor], *, except_for: Sequence[Tensor]
) -> tuple[Tensor, int]:
    """The result of `compute`, and the bytes that its backward pass keeps of other tensors."""
    known = {tensor.untyped_storage()._cdata for tensor in except_for}
    # The storages are kept alive, so that their addresses are not used again.
    kept: dict[int, torch.UntypedStorage] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in known:
            kept[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = compute()
    return result, sum(storage.nbytes() for storage in kept.values())


def _check_scalar(name: str, loss: Tensor) -> None:
    if loss.shape != ():
        raise SettingsError(f"{name} must be a scalar, got {tuple(loss.shape)}")


def _reconstruct(model: Any, images: Tensor, timestep: int, samples: int) -> None:
    numbers = torch.arange(len(images))
    several = {"samples": samples} if samples > 1 else {}
    model.network.eval()
    with torch.inference_mode():
        made = model.reconstruct(
            images, timesteps=[timestep], subject_seeds=numbers, slice_indices=numbers, **several
        )
    expected = (len(images), samples, *images.shape[2:])
    if made.shape != expected:
        raise SettingsError(f"reconstruct must return {expected}, got {tuple(made.shape)}")
