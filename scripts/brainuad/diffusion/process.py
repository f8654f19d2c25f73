"""The noise schedule, and one step of noising: x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise.

Timesteps are counted as in the paper, 1 to T; entry t - 1 of the schedule belongs to timestep t,
and the network also gets t - 1, as in the released code.
"""

import math

import torch
from torch import Tensor

from brainuad.compute.device import to_device
from brainuad.config.kinds.diffusion import ScheduleSettings


class CosineSchedule:
    """The amplitudes of image and noise at each timestep.

    signal  sqrt(abar), float32 [T], decreasing from near 1 to 0
    noise   sqrt(1 - abar), float32 [T], increasing from near 0 to 1
    """

    def __init__(self, settings: ScheduleSettings) -> None:
        times = torch.arange(settings.timesteps + 1, dtype=torch.float64) / settings.timesteps
        course = torch.cos((times + settings.offset) / (1 + settings.offset) * math.pi / 2) ** 2
        betas = (1 - course[1:] / course[:-1]).clamp(max=settings.largest_beta)
        signal_variance = torch.cumprod(1 - betas, dim=0)
        self.signal = signal_variance.sqrt().float()
        self.noise = (1 - signal_variance).sqrt().float()

    def noised(self, images: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """x_t [B, 1, H, W] of images x_0 and noise [B or 1, 1, H, W] at timesteps [B], 1 to T.

        The timesteps are on the CPU, the images on any device.
        """
        parts = torch.stack([self.signal[timesteps - 1], self.noise[timesteps - 1]])
        signal, noise_part = to_device(parts, images.device)[..., None, None, None]
        return signal * images + noise_part * noise


def to_model_range(images: Tensor) -> Tensor:
    """[0, 1] to [-1, 1], the range in which noise is added and the network works; not clipped."""
    return images * 2 - 1


def to_image_range(images: Tensor) -> Tensor:
    """[-1, 1] back to [0, 1], clipped."""
    return ((images + 1) / 2).clamp(0, 1)
