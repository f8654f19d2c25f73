"""IterMask2: what is masked is inpainted, and what is inpainted well is masked no longer.

Liang et al. 2024, "IterMask2: Iterative Unsupervised Anomaly Segmentation via Spatial and Frequency
Masking for Brain Lesions in MRI" (MICCAI, arXiv 2406.02422). The networks see the high frequencies
of the whole slice. From them alone one reconstructs it, which gives the first mask; from them and
from the pixels outside the mask the other one inpaints it, again and again.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from brainuad.config.kinds.itermask import IterMaskSettings
from brainuad.config.settings import settings_from
from brainuad.corruption import FOREGROUND
from brainuad.corruption.masks import random_masks
from brainuad.io.errors import SettingsError
from brainuad.networks.denoising import DenoisingUNet


class IterMask:
    """Two networks, and the error above which pixels stay masked."""

    def __init__(self, settings: IterMaskSettings) -> None:
        self.settings = settings
        # ASSUME: the networks are the DAE's; the authors' code has U-Nets as of guided diffusion,
        # without timesteps.
        network = dataclasses.asdict(settings.network)
        self.network = nn.ModuleDict(
            {
                "first": DenoisingUNet(**network),
                "inpainting": DenoisingUNet(**network, inputs=3),
            }
        )
        # Part of the state, and so of the weights that a validation chooses.
        self.network.register_buffer("threshold", torch.zeros(()))
        self.network.register_buffer("masked_pixels", torch.zeros((), dtype=torch.int64))

    def training_loss(self, images: Tensor, generator: torch.Generator, step: int) -> Tensor:
        """Mean squared error of the first network, and that of the other one in random masks."""
        if not torch.is_grad_enabled():
            raise SettingsError(
                "itermask takes the error above which pixels stay masked from the validation, "
                "which must be the same each time; set training.validation.redrawn to false"
            )
        # The next batch of a validation is the first one.
        self.network.masked_pixels.zero_()
        return self._loss_errors_and_masks(images, generator)[0]

    def validation_loss(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The same; the errors since the last training step set the threshold."""
        loss, errors, masks = self._loss_errors_and_masks(images, generator)
        # ASSUME: the threshold is that of the validation which chose the weights: the mean over its
        # batches, weighted by their masked pixels. The authors' code pools the pixels of the
        # healthy validation set before a test.
        threshold = exceeded_by(
            self.settings.next_masked, errors.detach().reshape(1, -1), masks.reshape(1, -1)
        )[0]
        count = masks.sum()
        self.network.masked_pixels += count
        share = count / self.network.masked_pixels.clamp(min=1)
        self.network.threshold.lerp_(threshold, share)
        return loss

    def _loss_errors_and_masks(
        self, images: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The loss, and the errors of inpainting [B, 1, H, W] with their masks."""
        masks = random_masks(images > FOREGROUND, generator)
        details = self._details(images)
        first_errors = self.network["first"](details) - images
        # ASSUME: the inpainting network is judged where it inpaints, in the authors' code in the
        # whole slice. A short training is spent on what counts.
        errors = torch.where(masks, self._inpainted(images, masks, details) - images, 0)
        loss = first_errors.square().mean() + errors.square().mean()
        return loss, errors.abs(), masks

    def reconstruct(
        self,
        images: Tensor,
        *,
        timesteps: Sequence[int],
        subject_seeds: Tensor,
        slice_indices: Tensor,
    ) -> Tensor:
        """Inpaint masks that shrink, cut to [0, 1]; see `models.Model`."""
        masks, details = images > FOREGROUND, self._details(images)
        errors = (self.network["first"](details) - images).abs()
        thresholds = exceeded_by(self.settings.first_masked, errors.flatten(1), masks.flatten(1))
        thresholds = thresholds[:, None, None, None]
        # ASSUME: all slices have the same number of masks. In the authors' code a slice is done
        # when its mask shrinks by less than 1 %.
        for _ in range(self.settings.iterations):
            masks = masks & (errors > thresholds)
            inpainted = self._inpainted(images, masks, details)
            errors, thresholds = (inpainted - images).abs(), self.network.threshold
        # ASSUME: outside the last mask the reconstruction is the scan itself. In the authors' code
        # it is the network's, which has seen the pixels there.
        return torch.where(masks, inpainted, images).clamp(0, 1)

    def _inpainted(self, images: Tensor, masks: Tensor, details: Tensor) -> Tensor:
        # ASSUME: masked pixels are 0, and the network is told which they are. The authors' code
        # fills them with normal noise and does not tell.
        visible = torch.where(masks, 0, images)
        return self.network["inpainting"](torch.cat([visible, masks, details], dim=1))

    def _details(self, images: Tensor) -> Tensor:
        return high_frequencies(images, self.settings.lowest_frequency)


def high_frequencies(images: Tensor, lowest: float) -> Tensor:
    """Slices [B, 1, H, W] without frequencies below the lowest, in cycles per pixel."""
    # ASSUME: the amplitudes of low frequencies are 0. In the authors' code they are 1 in the sum
    # over all pixels, which is next to nothing.
    size = images.shape[-2:]
    rows = torch.fft.fftfreq(size[0], device=images.device)[:, None]
    columns = torch.fft.rfftfreq(size[1], device=images.device)
    kept = torch.hypot(rows, columns) >= lowest
    return torch.fft.irfft2(torch.fft.rfft2(images) * kept, s=size)


def exceeded_by(part: float, values: Tensor, inside: Tensor) -> Tensor:
    """What a part of the values inside exceeds, [N] of values [N, P], which are 0 or more.

    Where nothing is inside, it is -1.
    """
    ordered = torch.where(inside, values, -1).sort(dim=1).values
    above = (part * inside.sum(1, keepdim=True)).floor().long()
    return ordered.gather(1, values.shape[1] - 1 - above)[:, 0]


def build(settings: dict[str, Any]) -> IterMask:
    """Build the model from the config's plain values."""
    return IterMask(settings_from(IterMaskSettings, settings))
