"""AE, VAE and SVAE."""

from dataclasses import dataclass

from brainuad.io.errors import SettingsError


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
    kl_weight: float | None

    def __post_init__(self) -> None:
        if self.kl_weight is not None and self.kl_weight <= 0:
            raise SettingsError(
                f"autoencoder: kl_weight is {self.kl_weight}, expected a positive number, or null "
                "for an autoencoder that is not variational"
            )


Settings = AutoencoderSettings
