"""f-AnoGAN: a generator of healthy slices, and an encoder that finds the latent of a given one.

Schlegl et al. 2019, "f-AnoGAN: fast unsupervised anomaly detection with generative adversarial
networks". First, generator and critic are trained as a Wasserstein GAN with gradient penalty
(Gulrajani et al. 2017), then only the encoder, with the izi_f loss.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from brainuad.compute.device import to_device, without_autocast
from brainuad.config.kinds.f_anogan import FAnoGANSettings
from brainuad.config.settings import settings_from
from brainuad.diffusion.process import to_image_range, to_model_range
from brainuad.io.errors import SettingsError
from brainuad.models import NOT_TRAINED_YET
from brainuad.networks.adversarial import Generator, Halvings, layer_norm


class FAnoGAN:
    """Three networks, trained in turn; all work on slices in [-1, 1]."""

    def __init__(self, settings: FAnoGANSettings) -> None:
        self.settings = settings
        shape = {"size": settings.size, "channels": settings.channels}
        self.network = nn.ModuleDict(
            {
                "generator": Generator(**shape, latent=settings.latent),
                "critic": Halvings(**shape, outputs=1, norm=layer_norm),
                "encoder": Halvings(**shape, outputs=settings.latent, norm=nn.BatchNorm2d),
            }
        )
        # Part of the state, so that it is known after a training was resumed.
        steps = torch.zeros((), dtype=torch.int64, device="cpu")
        self.network.register_buffer("encoder_steps", steps)
        # A copy on the CPU, since reading it from a GPU in each batch would wait for the GPU.
        self._encoder_steps = 0
        self.network.register_load_state_dict_post_hook(self._count_encoder_steps)

    def _count_encoder_steps(self, *_: object) -> None:
        self._encoder_steps = int(self.network.encoder_steps)

    def part_of(self, step: int) -> str:
        """The network that a step (counted from 0) trains: critic, generator or encoder."""
        if step >= self.settings.gan_steps:
            return "encoder"
        last = step % (self.settings.critic_steps + 1) == self.settings.critic_steps
        return "generator" if last else "critic"

    def training_loss(self, images: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """The loss of the network that the step trains; only that one gets gradients."""
        self._check(images)
        if not torch.is_grad_enabled():
            # In a redrawn validation only the slices are random.
            return self.validation_loss(images, generator)
        part = self.part_of(step)
        for name, network in self.network.items():
            network.requires_grad_(name == part)
        if part == "encoder":
            # In evaluation mode, the statistics of their norms are frozen too.
            self.network["generator"].eval()
            self.network["critic"].eval()
            self.network.encoder_steps += 1
            self._encoder_steps += 1
            return self._encoder_loss(images)
        shape = (len(images), self.settings.latent)
        latents = to_device(torch.randn(shape, generator=generator), images.device)
        # ASSUME: the GAN is trained in float32, whatever the device's precision: the penalty is a
        # gradient of a gradient, and the losses are small differences of large scores.
        with without_autocast(images.device):
            if part == "generator":
                fakes = self.network["generator"](latents)
                return -self.network["critic"](fakes)[0].mean()
            shares = torch.rand((len(images), 1, 1, 1), generator=generator)
            with torch.no_grad():
                fakes = self.network["generator"](latents)
            return self._critic_loss(
                to_model_range(images), fakes, to_device(shares, images.device)
            )

    def _critic_loss(self, images: Tensor, fakes: Tensor, shares: Tensor) -> Tensor:
        """Score of the fakes minus that of the images, and the gradient penalty between them."""
        critic = self.network["critic"]
        real_scores, fake_scores = critic(torch.cat([images, fakes]))[0].chunk(2)
        between = (images + shares * (fakes - images)).requires_grad_()
        slopes = torch.autograd.grad(critic(between)[0].sum(), between, create_graph=True)[0]
        penalty = (slopes.flatten(1).norm(dim=1) - 1).square().mean()
        return (fake_scores - real_scores).mean() + self.settings.gradient_penalty * penalty

    def _encoder_loss(self, images: Tensor) -> Tensor:
        """izi_f: squared error of the reconstruction, and of the critic's features of it."""
        slices = to_model_range(images)
        reconstructions = self._reconstructions(images)
        critic = self.network["critic"]
        features = critic(slices)[1] - critic(reconstructions)[1]
        loss = (slices - reconstructions).square().mean()
        return loss + self.settings.feature_weight * features.square().mean()

    def validation_loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The izi_f loss; before the encoder is trained, a value that is never the lowest."""
        self._check(images)
        # An untrained encoder may have a low loss with a critic that distinguishes nothing.
        if not self._encoder_steps:
            return images.new_tensor(NOT_TRAINED_YET)
        return self._encoder_loss(images)

    def reconstruct(
        self,
        images: Tensor,
        *,
        timesteps: Sequence[int],
        subject_seeds: Tensor,
        slice_indices: Tensor,
    ) -> Tensor:
        """Generate a slice from the encoder's latent; SettingsError if it was never trained."""
        # ASSUME: the anomaly map is |x - reconstruction| as for the paper's other models, which is
        # also f-AnoGAN's way to localize anomalies; its score of a whole image, with the critic's
        # features, is not used.
        self._check(images)
        if not self._encoder_steps:
            raise SettingsError(
                f"f_anogan: gan_steps is {self.settings.gan_steps}, and the training ended before "
                "the encoder was trained; raise training.steps or lower gan_steps"
            )
        return to_image_range(self._reconstructions(images))

    def _reconstructions(self, images: Tensor) -> Tensor:
        latents = self.network["encoder"](to_model_range(images))[0]
        return self.network["generator"](latents)

    def _check(self, images: Tensor) -> None:
        size = tuple(images.shape[-2:])
        if size != self.settings.size:
            raise SettingsError(
                f"f_anogan: size is {list(self.settings.size)}, but the slices have "
                f"{list(size)} pixels; make it the same"
            )


def build(settings: dict[str, Any]) -> FAnoGAN:
    """Build the model from the config's plain values."""
    return FAnoGAN(settings_from(FAnoGANSettings, settings))
