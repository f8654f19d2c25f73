"""IterMask2."""

from dataclasses import dataclass
from typing import Annotated

from brainuad.config.kinds.denoising_autoencoder import UNetSettings
from brainuad.config.limits import Count
from brainuad.config.settings import Limits

Fraction = Annotated[float, Limits(above=0, below=1)]


@dataclass(frozen=True)
class IterMaskSettings:
    """The networks, and how the mask of a scan shrinks.

    network           each of the two U-Nets
    lowest_frequency  the networks see higher frequencies within the mask; in cycles per pixel
    first_masked      fraction of the brain in the first mask
    next_masked       fraction of the masked pixels of healthy slices that are above the threshold
    iterations        number of masks
    """

    network: UNetSettings
    lowest_frequency: Annotated[float, Limits(minimum=0, below=0.5)]
    first_masked: Fraction
    next_masked: Fraction
    iterations: Count


Settings = IterMaskSettings
