"""SparK's pretraining of an encoder."""

from dataclasses import dataclass

from brainuad.config.kinds.diffusion import BackboneSettings
from brainuad.config.models import MaskingSettings


@dataclass(frozen=True)
class SparkSettings(MaskingSettings, BackboneSettings):
    """Backbone, decoder and masking, see `brainuad.networks.spark.SparK`."""


Settings = SparkSettings
