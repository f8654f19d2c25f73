"""DISYRE."""

from dataclasses import dataclass

from brainuad.config.kinds.diffusion import NetworkSettings
from brainuad.config.limits import Count


@dataclass(frozen=True)
class DisyreSettings:
    """The network, and how many times it restores a scan, from full severity downwards."""

    network: NetworkSettings
    restorations: Count


Settings = DisyreSettings
