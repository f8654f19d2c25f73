"""DDPM, and cDDPM with its condition."""

from dataclasses import dataclass
from typing import Annotated, Literal

from brainuad.config.limits import Count, NonNegative, Positive
from brainuad.config.settings import Limits


@dataclass(frozen=True)
class NetworkSettings:
    """The U-Net, see `brainuad.networks.unet.UNet`."""

    channels: Count
    multipliers: Annotated[tuple[Count, ...], Limits(items=(1, None))]
    residual_blocks: Count
    attention_heads: Count


@dataclass(frozen=True)
class BackboneSettings:
    """The encoder without its last layer, which SparK pretrains."""

    width: Count
    blocks: Annotated[tuple[Count, ...], Limits(items=(4, 4))]
    stem_stride: Literal[1, 2, 4]
    stochastic_depth: Annotated[float, Limits(minimum=0, below=1)]


@dataclass(frozen=True)
class EncoderSettings(BackboneSettings):
    """The encoder of the condition, see `brainuad.networks.resnet.ResNetEncoder`."""

    condition_width: Count


@dataclass(frozen=True)
class NoiseSettings:
    """Octaves of simplex noise.

    octaves      how many are summed
    persistence  amplitude of an octave relative to the one before
    wavelength   of the first octave in pixels; each further octave has half of it
    shared       one field for all images of a batch (True, as released) or one for each (False)
    """

    octaves: Count
    persistence: Positive
    wavelength: Positive
    shared: bool


@dataclass(frozen=True)
class ScheduleSettings:
    """The cosine schedule of Nichol and Dhariwal (2021, equation 17).

    timesteps     T
    offset        s, keeps the first steps from being too small
    largest_beta  where each step's beta is clipped
    """

    timesteps: Count
    offset: NonNegative
    largest_beta: Annotated[float, Limits(above=0, below=1)]


@dataclass(frozen=True)
class DiffusionSettings:
    """A diffusion model; without an encoder it is the plain DDPM."""

    network: NetworkSettings
    encoder: EncoderSettings | None
    noise: NoiseSettings
    schedule: ScheduleSettings


Settings = DiffusionSettings
