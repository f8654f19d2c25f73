"""Layers that compute in float32 whatever the layers around them do."""

from torch import Tensor, nn

from brainuad.compute.device import without_autocast


def in_full_precision(layer: nn.Module, maps: Tensor) -> Tensor:
    """Apply a layer in float32, under autocast too.

    The last layer of a network: in bfloat16 its output alone would be off by up to 2^-9 of its
    value, while the residuals that matter are of some hundredths.
    """
    with without_autocast(maps.device):
        return layer(maps.float())
