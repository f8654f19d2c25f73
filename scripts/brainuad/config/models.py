"""Models as the config describes them, and how they are trained."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from brainuad.config.limits import (
    Count,
    CountInterval,
    Interval,
    NonNegative,
    NonNegativeInt,
    Positive,
    Share,
)
from brainuad.config.settings import Limits
from brainuad.io.errors import SettingsError

Below1 = Annotated[float, Limits(minimum=0, below=1)]


@dataclass(frozen=True)
class BlurSettings:
    """Gaussian blur: probability, and the range of its standard deviation in pixels.

    The 0 to 2 mm of torchio are 0 to 1 pixels on a grid of 2 mm.
    """

    probability: Share
    deviation: Interval


@dataclass(frozen=True)
class BiasFieldSettings:
    """exp of a polynomial over the slice: probability, order, largest absolute coefficient."""

    probability: Share
    order: NonNegativeInt
    coefficients: NonNegative


@dataclass(frozen=True)
class GammaSettings:
    """x to the power of exp(g): probability, and the largest absolute g."""

    probability: Share
    log_gamma: NonNegative


@dataclass(frozen=True)
class GhostingSettings:
    """Ghosts along rows or columns, as periodic motion makes them.

    ghosts     range of their number
    intensity  range of their strength: how much of every n-th line of k-space is removed
    restore    width of the band around zero frequency that is kept, as a fraction of the size
    """

    probability: Share
    ghosts: CountInterval
    intensity: Interval
    restore: NonNegative


@dataclass(frozen=True)
class AugmentationSettings:
    """The transforms of the augmentation; None switches one off."""

    blur: BlurSettings | None
    bias_field: BiasFieldSettings | None
    gamma: GammaSettings | None
    ghosting: GhostingSettings | None


@dataclass(frozen=True)
class ValidationSettings:
    """When to validate (always after the last step), and on what.

    every_epochs        epochs from one validation to the next
    slices_per_volume   slices taken from each volume
    redrawn             if true, as released, each validation draws slices, timesteps, noise and
                        augmentation again; if false, all have the same and no augmentation
    """

    every_epochs: Count
    slices_per_volume: Count
    redrawn: bool


@dataclass(frozen=True)
class TrainingSettings:
    """How to train.

    steps               optimiser steps in all
    batch_size          slices per step
    slices_per_volume   slices drawn from each volume in an epoch (1 as released)
    optimizer           Adam as in the paper's models, AdamW as in SparK
    warmup_steps        steps in which the learning rate rises linearly to its value
    decay               how the learning rate changes after the warm-up
    augmentation        None for none
    """

    steps: Count
    batch_size: Count
    slices_per_volume: Count
    optimizer: Literal["adam", "adamw"]
    learning_rate: Positive
    weight_decay: NonNegative
    betas: Annotated[tuple[Below1, ...], Limits(items=(2, 2))]
    warmup_steps: NonNegativeInt
    decay: Literal["constant", "cosine"]
    validation: ValidationSettings
    augmentation: AugmentationSettings | None

    def __post_init__(self) -> None:
        if self.warmup_steps >= self.steps:
            raise SettingsError(
                f"warmup_steps: {self.warmup_steps} is not below the {self.steps} steps"
            )


@dataclass(frozen=True)
class MaskingSettings:
    """Masked modelling: the width of the decoder, and which part of a slice is hidden."""

    decoder_width: Count
    patch_size: Count
    mask_ratio: Annotated[float, Limits(above=0, below=1)]


@dataclass(frozen=True)
class Pretraining(MaskingSettings):
    """Pretraining of the encoder by masked modelling."""

    training: TrainingSettings


@dataclass(frozen=True)
class ModelBlock:
    """A network that is trained.

    kind      the file of `brainuad.models` that trains and reconstructs
    settings  those of the kind; `check_models` tries them out before anything else runs
    """

    kind: str
    pretrained: str | None
    settings: dict[str, Any]
    training: TrainingSettings
