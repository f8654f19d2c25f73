"""DDPM, and cDDPM with its condition."""

from dataclasses import dataclass
from typing import Annotated, Literal

from brainuad.config.limits import Count
from brainuad.config.settings import Limits
from brainuad.io.errors import SettingsError


@dataclass(frozen=True)
class NetworkSettings:
    """The U-Net, see `brainuad.networks.unet.UNet`."""

    channels: Count
    multipliers: Annotated[tuple[Count, ...], Limits(items=(1, None))]
    residual_blocks: Count
    attention_heads: Count


@dataclass(frozen=True)
class EncoderSettings:
    """The encoder of the condition, see `brainuad.networks.resnet.ResNetEncoder`."""

    width: Count
    blocks: Annotated[tuple[Count, ...], Limits(items=(4, 4))]
    stem_stride: Literal[1, 2, 4]
    condition_width: Count
    stochastic_depth: Annotated[float, Limits(minimum=0, below=1)]


@dataclass(frozen=True)
class NoiseSettings:
    """Octaves of simplex noise.

    octaves      how many are summed
    persistence  amplitude of an octave relative to the one before
    wavelength   of the first octave in pixels; each further octave has half of it
    shared       one field for all images of a batch (True, as released) or one for each (False)
    """

    octaves: int
    persistence: float
    wavelength: float
    shared: bool

    def __post_init__(self) -> None:
        if self.octaves < 1 or self.persistence <= 0 or self.wavelength <= 0:
            raise SettingsError(f"noise: octaves, persistence, wavelength must be positive: {self}")


@dataclass(frozen=True)
class ScheduleSettings:
    """The cosine schedule of Nichol and Dhariwal (2021, equation 17).

    timesteps     T
    offset        s, keeps the first steps from being too small
    largest_beta  where each step's beta is clipped
    """

    timesteps: int
    offset: float
    largest_beta: float

    def __post_init__(self) -> None:
        if self.timesteps < 1:
            raise SettingsError(f"schedule.timesteps is {self.timesteps}, expected at least 1")
        if self.offset < 0 or not 0 < self.largest_beta < 1:
            raise SettingsError(
                f"schedule: expected offset >= 0 and 0 < largest_beta < 1, got {self}"
            )


@dataclass(frozen=True)
class DiffusionSettings:
    """A diffusion model; without an encoder it is the plain DDPM."""

    network: NetworkSettings
    encoder: EncoderSettings | None
    noise: NoiseSettings
    schedule: ScheduleSettings


Settings = DiffusionSettings
