"""DAE."""

from dataclasses import dataclass

from brainuad.config.limits import Count, Positive


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

    resolution: Count
    deviation: Positive


@dataclass(frozen=True)
class DenoisingAutoencoderSettings:
    """The network, and the noise that it removes."""

    network: UNetSettings
    noise: CoarseNoiseSettings


Settings = DenoisingAutoencoderSettings
