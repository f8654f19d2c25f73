"""FAE, the feature autoencoder."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from brainuad.config.kinds.diffusion import BackboneSettings
from brainuad.config.limits import Count
from brainuad.config.settings import Limits


@dataclass(frozen=True)
class FaeSettings:
    """The network that gives the features, and the autoencoder that reconstructs them.

    encoder   the encoder that SparK pretrains; None: a ResNet-18 with the weights in `pretrained`
    size      rows and columns to which slices are resized for the features
    channels  number of channels of the autoencoder's stages, each of which halves the feature maps
    """

    encoder: BackboneSettings | None
    size: Annotated[tuple[Count, ...], Limits(items=(2, 2))]
    channels: Annotated[tuple[Count, ...], Limits(items=(1, None))]

    needs_pretrained: ClassVar[bool] = True
    maps_anomalies: ClassVar[bool] = True


Settings = FaeSettings
