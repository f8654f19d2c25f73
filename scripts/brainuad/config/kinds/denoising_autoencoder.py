"""DAE."""

from dataclasses import dataclass

from brainuad.io.errors import SettingsError


@dataclass(frozen=True)
class UNetSettings:
    """The U-Net, see `brainuad.networks.denoising.DenoisingUNet`."""

    channels: int
    levels: int


@dataclass(frozen=True)
class CoarseNoiseSettings:
    """Gaussian noise on a coarse grid.

    resolution  points of the grid along each edge of a slice
    deviation   standard deviation at these points
    """

    resolution: int
    deviation: float

    def __post_init__(self) -> None:
        if self.resolution < 1 or self.deviation <= 0:
            raise SettingsError(f"noise: resolution and deviation must be positive: {self}")


@dataclass(frozen=True)
class DenoisingAutoencoderSettings:
    """What removes which noise."""

    network: UNetSettings
    noise: CoarseNoiseSettings


Settings = DenoisingAutoencoderSettings
