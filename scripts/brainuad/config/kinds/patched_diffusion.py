"""pDDPM."""

from dataclasses import dataclass

from brainuad.config.kinds.diffusion import NetworkSettings, NoiseSettings, ScheduleSettings
from brainuad.io.errors import SettingsError


@dataclass(frozen=True)
class PatchedDiffusionSettings:
    """A diffusion model without an encoder, and the grid of its patches: rows and columns."""

    network: NetworkSettings
    noise: NoiseSettings
    schedule: ScheduleSettings
    grid: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.grid) != 2 or min(self.grid) < 1:
            raise SettingsError(
                f"patched_diffusion: grid is {list(self.grid)}, expected its rows and columns"
            )


Settings = PatchedDiffusionSettings
