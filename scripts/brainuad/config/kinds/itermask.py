"""IterMask2."""

from dataclasses import dataclass
from typing import Annotated

from brainuad.config.kinds.denoising_autoencoder import UNetSettings
from brainuad.config.limits import Count
from brainuad.config.settings import Limits

Part = Annotated[float, Limits(above=0, below=1)]


@dataclass(frozen=True)
class IterMaskSettings:
    """The networks, and how the mask of a scan shrinks.

    network           each of the two U-Nets
    lowest_frequency  of what the networks see behind the mask, in cycles per pixel
    first_masked      part of the brain in the first mask
    next_masked       part of the masked pixels of healthy slices that are above the threshold
    iterations        how many masks there are
    """

    network: UNetSettings
    lowest_frequency: Annotated[float, Limits(minimum=0, below=0.5)]
    first_masked: Part
    next_masked: Part
    iterations: Count


Settings = IterMaskSettings
