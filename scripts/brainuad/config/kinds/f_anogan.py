"""f-AnoGAN."""

from dataclasses import dataclass

from brainuad.io.errors import SettingsError


@dataclass(frozen=True)
class FAnoGANSettings:
    """Networks (see `brainuad.networks.adversarial`) and the order in which they are trained.

    size              rows and columns of the slices
    channels          of the first convolution and of the blocks of critic and encoder; the
                      generator goes the same way back
    latent            width of the latent vectors
    gan_steps         the first steps of the training are of the GAN, all others of the encoder
    critic_steps      steps of the critic before each step of the generator
    gradient_penalty  its weight
    feature_weight    kappa, the weight of the critic's features in the izi_f loss
    """

    size: tuple[int, ...]
    channels: tuple[int, ...]
    latent: int
    gan_steps: int
    critic_steps: int
    gradient_penalty: float
    feature_weight: float

    def __post_init__(self) -> None:
        for name in ("gan_steps", "critic_steps"):
            if getattr(self, name) < 1:
                raise SettingsError(
                    f"f_anogan: {name} is {getattr(self, name)}, expected 1 or more"
                )
        for name in ("gradient_penalty", "feature_weight"):
            if getattr(self, name) < 0:
                raise SettingsError(
                    f"f_anogan: {name} is {getattr(self, name)}, expected 0 or more"
                )


Settings = FAnoGANSettings
