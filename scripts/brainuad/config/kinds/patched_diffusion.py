"""pDDPM."""

from dataclasses import dataclass
from typing import Annotated

from brainuad.config.kinds.diffusion import NetworkSettings, NoiseSettings, ScheduleSettings
from brainuad.config.limits import Count
from brainuad.config.settings import Limits


@dataclass(frozen=True)
class PatchedDiffusionSettings:
    """A diffusion model without an encoder, and the grid of its patches: rows and columns."""

    network: NetworkSettings
    noise: NoiseSettings
    schedule: ScheduleSettings
    grid: Annotated[tuple[Count, ...], Limits(items=(2, 2))]


Settings = PatchedDiffusionSettings
