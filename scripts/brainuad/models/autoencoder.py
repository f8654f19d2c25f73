"""Autoencoders: AE, VAE, and SVAE, which is a VAE with a latent map in place of a vector.

Baur et al. 2021, "Autoencoders for unsupervised anomaly segmentation in brain MR images: a
comparative study", and Kingma and Welling 2014 for the variational ones. Only the bottleneck keeps
lesions out of the reconstruction. The loss is L1, as in the study and in the released code.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from brainuad.compute.device import to_device
from brainuad.config.kinds.autoencoder import AutoencoderSettings
from brainuad.config.settings import settings_from
from brainuad.io.errors import SettingsError
from brainuad.networks.convolutional import ConvolutionalAutoencoder


class Autoencoder:
    """One of the three autoencoders, by its settings."""

    def __init__(self, settings: AutoencoderSettings) -> None:
        self.settings = settings
        self.network = ConvolutionalAutoencoder(
            size=settings.size,
            channels=settings.channels,
            latent=settings.latent,
            spatial=settings.spatial,
            variational=settings.kl_weight is not None,
        )

    def training_loss(self, images: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Mean |x - reconstruction|; the latent is drawn if it is a distribution."""
        means, log_variances = self._encode(images)
        latents = means
        if log_variances is not None:
            drawn = to_device(torch.randn(means.shape, generator=generator), images.device)
            latents = means + (log_variances / 2).exp() * drawn
        return self._loss(images, latents, means, log_variances)

    def validation_loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The loss of reconstructions from the means of the latents."""
        means, log_variances = self._encode(images)
        return self._loss(images, means, means, log_variances)

    def _loss(
        self, images: Tensor, latents: Tensor, means: Tensor, log_variances: Tensor | None
    ) -> Tensor:
        loss = (images - self.network.decode(latents)).abs().mean()
        if log_variances is None:
            return loss
        # ASSUME: the KL weight applies to means over pixels and over the latent's entries, as in
        # the code that the paper's authors cite for baselines (Lagogiannis et al. 2023), where it
        # is also 0.001. With a sum over the entries VAE was much worse than AE on phantoms (l1
        # 0.071 compared with 0.059); in the paper the two are similar.
        divergence = (means.square() + log_variances.exp() - log_variances - 1).mean() / 2
        return loss + self.settings.kl_weight * divergence

    def reconstruct(
        self,
        images: Tensor,
        *,
        timesteps: Sequence[int],
        subject_seeds: Tensor,
        slice_indices: Tensor,
    ) -> Tensor:
        """Reconstruct from the means of the latents, clipped to [0, 1]; see `models.Model`."""
        return self.network.decode(self._encode(images)[0]).clamp(0, 1)

    def _encode(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        size = tuple(images.shape[-2:])
        if size != self.settings.size:
            raise SettingsError(
                f"autoencoder: size is {list(self.settings.size)}, but the slices have "
                f"{list(size)} pixels; make it the same"
            )
        return self.network.encode(images)


def build(settings: dict[str, Any]) -> Autoencoder:
    """Build the model from the config's plain values."""
    return Autoencoder(settings_from(AutoencoderSettings, settings))
