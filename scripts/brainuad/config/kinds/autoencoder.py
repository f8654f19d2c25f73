"""AE, VAE and SVAE."""

from dataclasses import dataclass

from brainuad.config.limits import Positive


@dataclass(frozen=True)
class AutoencoderSettings:
    """The network, see `brainuad.networks.convolutional.ConvolutionalAutoencoder`.

    kl_weight  weight of the KL divergence of the latent from the standard normal distribution;
               None builds an autoencoder that is not variational
    """

    size: tuple[int, ...]
    channels: tuple[int, ...]
    # ASSUME: SVAE's latent map holds about as many numbers as VAE's vector. The paper names no
    # size; its SVAE reconstructs only a little better than its VAE, while a map of four times as
    # many positions copied the lesions of phantoms.
    latent: int
    spatial: bool
    kl_weight: Positive | None


Settings = AutoencoderSettings
