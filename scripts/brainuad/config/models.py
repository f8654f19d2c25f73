"""Models as the config describes them, and how they are trained."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from brainuad.config.limits import Count, Interval, NotNegative, Positive, Share, Zero
from brainuad.config.settings import Limits
from brainuad.io.errors import SettingsError

Below1 = Annotated[float, Limits(minimum=0, below=1)]


@dataclass(frozen=True)
class BlurSettings:
    """Gaussian blur: probability, and the range of its standard deviation in pixels.

    torchio's 0 to 2 mm are 0 to 1 pixels on a grid of 2 mm.
    """

    probability: Share
    deviation: Interval


@dataclass(frozen=True)
class BiasFieldSettings:
    """exp of a polynomial over the slice: probability, order, largest absolute coefficient."""

    probability: Share
    order: NotNegative
    coefficients: Zero


@dataclass(frozen=True)
class GammaSettings:
    """x to the power of exp(g): probability, and the largest absolute g."""

    probability: Share
    log_gamma: Zero


@dataclass(frozen=True)
class GhostingSettings:
    """Ghosts along rows or columns, as periodic motion makes them.

    ghosts     range of their number
    intensity  range of their strength: how much of every n-th line of k-space is removed
    restore    width of the band around zero frequency that is kept, as a part of the size
    """

    probability: Share
    ghosts: Annotated[tuple[NotNegative, ...], Limits(items=(2, 2))]
    intensity: Interval
    restore: Zero


@dataclass(frozen=True)
class AugmentationSettings:
    """Which transforms there are; None switches one off."""

    blur: BlurSettings | None
    bias_field: BiasFieldSettings | None
    gamma: GammaSettings | None
    ghosting: GhostingSettings | None


@dataclass(frozen=True)
class ValidationSettings:
    """When to validate (always after the last step), and on what.

    every_epochs        epochs from one validation to the next
    slices_per_volume   slices taken from each volume
    redrawn             each validation draws slices, timesteps, noise and augmentation anew (True,
                        as released), or has the same ones and no augmentation (False)
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
    decay               what the learning rate does after them
    augmentation        None trains on the slices as they are
    """

    steps: Count
    batch_size: Count
    slices_per_volume: Count
    optimizer: Literal["adam", "adamw"]
    learning_rate: Positive
    weight_decay: Zero
    betas: Annotated[tuple[Below1, ...], Limits(items=(2, 2))]
    warmup_steps: NotNegative
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
    """Masked modelling: its decoder, and what it hides."""

    decoder_width: Count
    patch_size: Count
    mask_ratio: Annotated[float, Limits(above=0, below=1)]


@dataclass(frozen=True)
class Pretraining(MaskingSettings):
    """Of the encoder, by masked modelling."""

    training: TrainingSettings


@dataclass(frozen=True)
class ModelBlock:
    """A network that is trained.

    kind      the file of `brainuad.models` that trains and reconstructs
    settings  what that kind takes; `check_models` tries them before anything else is made
    """

    kind: str
    pretrained: str | None
    settings: dict[str, Any]
    training: TrainingSettings
