"""f-AnoGAN."""

from dataclasses import dataclass

from brainuad.config.limits import Count, NonNegative
from brainuad.io.errors import SettingsError


@dataclass(frozen=True)
class FAnoGANSettings:
    """Networks (see `brainuad.networks.adversarial`) and the order in which they are trained.

    size              rows and columns of the slices
    channels          of the first convolution and of the blocks of critic and encoder; those of the
                      generator are the same in reverse order
    latent            width of the latent vectors
    gan_steps         the number of first steps that train the GAN; the others train the encoder
    critic_steps      steps of the critic before each step of the generator
    gradient_penalty  its weight
    feature_weight    kappa, the weight of the critic's features in the izi_f loss
    """

    size: tuple[int, ...]
    channels: tuple[int, ...]
    latent: int
    gan_steps: Count
    critic_steps: Count
    gradient_penalty: NonNegative
    feature_weight: NonNegative

    def __post_init__(self) -> None:
        if self.gan_steps <= self.critic_steps:
            raise SettingsError(
                f"gan_steps: {self.gan_steps} is not above critic_steps, {self.critic_steps}, so "
                "that the generator would never be trained"
            )


Settings = FAnoGANSettings
