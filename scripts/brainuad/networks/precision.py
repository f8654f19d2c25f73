"""Layers that compute in float32 even under autocast."""

from torch import Tensor, nn

from brainuad.compute.device import without_autocast


def in_full_precision(layer: nn.Module, maps: Tensor) -> Tensor:
    """Apply a layer in float32, even under autocast.

    It is used for the last layer of a network: rounding its output to bfloat16 would change it by
    up to 2^-9 of its value, while the residuals that matter are a few hundredths.
    """
    with without_autocast(maps.device):
        return layer(maps.float())
