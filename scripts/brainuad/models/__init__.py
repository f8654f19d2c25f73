"""The models: one file for each kind, found by its name in the config.

A new kind is a new file `models/{kind}.py` with a function `build(settings)` that returns a
`Model`, and a block under `models` in the config.
"""

import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from brainuad.compute.device import Device
from brainuad.io.errors import SettingsError
from brainuad.models.checkpoints import load_strictly, read_weights
from brainuad.models.shared_weights import SUFFIX, read_shared_weights

# The validation loss of a model whose parts are trained in turn, until the last part is trained: it
# is finite, and far above any loss, so that those weights are not chosen.
NOT_TRAINED_YET = 1e9


class Trainable(Protocol):
    """The interface for the training loop.

    A step must not wait for a GPU: tensors from the CPU are copied by
    `brainuad.compute.device.to_device`, and no value is read back. The losses are called under
    autocast, and are float32 themselves. A module of the network with the attribute
    `worth_compiling` may be compiled.
    """

    network: nn.Module

    def training_loss(self, images: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Scalar loss of slices [B, 1, H, W] at an optimizer step, counted from 0.

        Their intensities are those of `SliceStack` after augmentation: about 0 to 1, and beyond.

        A model may train its parts in turn: parameters without a gradient from a step's loss do not
        change.

        The model draws all random numbers from the generator, which is on the CPU, whatever device
        the images are on. Layers in training mode (stochastic depth) draw from torch's default
        generator, which the training loop seeds at each step.

        Under `torch.no_grad`, with the network in evaluation mode, it is the loss of a redrawn
        validation, and does not change the network; a model that needs the same validation each
        time raises SettingsError.
        """
        ...

    def validation_loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The loss with the network in evaluation mode, in which no layer draws.

        Equal images and an equal generator give an equal loss.
        """
        ...


class Model(Trainable, Protocol):
    """A model that reconstructs healthy anatomy.

    The optional attribute `passes_per_timestep` is the number of passes of its network for a
    timestep, if there are more than one. A model that maps anomalies itself returns its map, with
    values from 0 to 1, instead of a reconstruction; the settings of its kind have `maps_anomalies`
    set, and its methods have the score own_map.
    """

    def reconstruct(
        self,
        images: Tensor,
        *,
        timesteps: Sequence[int],
        subject_seeds: Tensor,
        slice_indices: Tensor,
    ) -> Tensor:
        """Reconstruct slices [B, 1, H, W]: the mean over the timesteps (1 to T), clipped to [0, 1].

        All random numbers depend on subject_seeds int64 [B], one number for all slices of a
        subject, and slice_indices int64 [B], the slice's number in the volume: so a reconstruction
        depends neither on the batch nor on the other subjects of a run.
        """
        ...


class PretrainedModel(Model, Protocol):
    """A model that may start from the weights of a pretraining."""

    def load_pretrained(self, path: Path) -> None:
        """Load them; SettingsError if they do not fit."""
        ...


class SamplingModel(Model, Protocol):
    """A model that draws noise, and can give several reconstructions of a slice.

    Methods with `samples` above 1 need such a model.
    """

    def reconstruct(
        self,
        images: Tensor,
        *,
        timesteps: Sequence[int],
        subject_seeds: Tensor,
        slice_indices: Tensor,
        samples: int = 1,
    ) -> Tensor:
        """Reconstruct slices as [B, samples, H, W]; samples differ only in their noise.

        The first samples do not depend on the number of samples.
        """
        ...


def build_trainable(kind: str, settings: dict[str, Any]) -> Any:
    """Build a model of `models/{kind}.py`, with weights drawn from torch's default generator.

    Raises SettingsError for a kind that has no file, or for settings that do not fit.
    """
    kinds = sorted(module.name for module in pkgutil.iter_modules(__path__))
    if kind not in kinds:
        raise SettingsError(f"model kind {kind!r} is not one of {', '.join(kinds)}")
    return build_with(importlib.import_module(f"{__name__}.{kind}"), settings)


def build_with(module: ModuleType, settings: dict[str, Any]) -> Any:
    """Build the model of a module of this package; errors of the network name the module.

    Raises SettingsError for a module without `build`, or one whose `build` returns nothing, too.
    """
    kind = module.__name__.rpartition(".")[2]
    if not hasattr(module, "build"):
        raise SettingsError(f"models/{kind}.py has no function build(settings); add it")
    try:
        model = module.build(settings)
    except SettingsError:
        raise
    except ValueError as error:
        raise SettingsError(f"settings of {kind}: {error}") from error
    if model is None:
        raise SettingsError(f"models/{kind}.py: build returns nothing; return the model")
    return model


def start_from(path: Path, model: Model) -> None:
    """Start a model from the weights of a pretraining; SettingsError if it cannot."""
    if not hasattr(model, "load_pretrained"):
        raise SettingsError(
            f"this kind has no encoder that could start from {path}; set pretrained to null"
        )
    model.load_pretrained(path)


def load_model(path: Path, device: Device) -> Model:
    """Rebuild a trained model from its weights file, ready to reconstruct."""
    weights = read_shared_weights(path) if path.suffix == SUFFIX else read_weights(path)
    model = build_trainable(weights["kind"], weights["settings"])
    load_strictly(model.network, weights["state"], source=path)
    model.network.to(device.torch, memory_format=device.eager_format).eval()
    return model
