"""The denoising U-Net: from a noised slice, a timestep and a condition to the clean slice.

The architecture is that of guided diffusion (Dhariwal and Nichol 2021, "Diffusion Models Beat GANs
on Image Synthesis", section 3), with the condition vector of the cDDPM paper (arXiv 2312.04215)
concatenated with the time embedding as in its released code.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from brainuad.networks.precision import in_full_precision


def _group_norm(channels: int) -> nn.GroupNorm:
    # ASSUME: GroupNorm has 32 groups as released, or fewer if a group would have under 4 channels.
    most = min(32, max(1, channels // 4))
    groups = next(groups for groups in range(most, 0, -1) if channels % groups == 0)
    return nn.GroupNorm(groups, channels)


def _zeroed(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    # With residual branches that start at zero, blocks start as identities, as in guided diffusion.
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def timestep_embedding(timesteps: Tensor, width: int) -> Tensor:
    """Sinusoidal embedding of integer timesteps [B] as [B, width], float32; width is even.

    Frequencies decrease geometrically from 1 to 1/10000; cosines come first (Vaswani et al. 2017,
    section 3.5, in the order of guided diffusion).
    """
    if width % 2:
        raise ValueError(f"the embedding's width must be even, got {width}")
    half = width // 2
    steps = torch.arange(half, dtype=torch.float32, device=timesteps.device)
    angles = timesteps.float()[:, None] * torch.exp(-math.log(10000) * steps / half)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class Resampling(nn.Module):
    """Halve the resolution by averaging 2x2 pixels, double it by repeating, or keep it."""

    def __init__(self, direction: str) -> None:
        super().__init__()
        if direction not in ("up", "down", "none"):
            raise ValueError(f"direction must be up, down or none, got {direction!r}")
        self.direction = direction

    def forward(self, maps: Tensor) -> Tensor:
        if self.direction == "down":
            return functional.avg_pool2d(maps, 2)
        if self.direction == "up":
            # Under autocast the result would be float32, in twice the memory; repeating is exact.
            return functional.interpolate(maps, scale_factor=2, mode="nearest").to(maps.dtype)
        return maps


class ResidualBlock(nn.Module):
    """Two convolutions around a shortcut; the embedding scales and shifts the second norm."""

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        embedding_width: int,
        direction: str = "none",
    ) -> None:
        super().__init__()
        self.resampling = Resampling(direction)
        self.first_norm = _group_norm(in_channels)
        self.first_convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.modulation = nn.Linear(embedding_width, 2 * out_channels)
        self.second_norm = _group_norm(out_channels)
        self.second_convolution = _zeroed(nn.Conv2d(out_channels, out_channels, 3, padding=1))
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, maps: Tensor, embedding: Tensor) -> Tensor:
        """From maps [B, in, H, W] and an activated embedding [B, E] to [B, out, H', W']."""
        hidden = functional.silu(self.first_norm(maps))
        hidden = self.first_convolution(self.resampling(hidden))
        scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, dim=1)
        # FiLM in the released form: norm(h) * (1 + scale) + shift.
        hidden = functional.silu(self.second_norm(hidden) * (1 + scale) + shift)
        return self.shortcut(self.resampling(maps)) + self.second_convolution(hidden)


class SelfAttention(nn.Module):
    """Attention of each position of a map to all positions, around a shortcut."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        if heads < 1 or channels % heads:
            raise ValueError(f"attention: {channels} channels do not divide into {heads} heads")
        self.heads = heads
        self.norm = _group_norm(channels)
        self.to_queries_keys_values = nn.Linear(channels, 3 * channels)
        self.output = _zeroed(nn.Linear(channels, channels))

    def forward(self, maps: Tensor) -> Tensor:
        """Maps [B, C, H, W] to the same shape."""
        batch, channels, height, width = maps.shape
        tokens = self.norm(maps).flatten(2).transpose(1, 2)
        projected = self.to_queries_keys_values(tokens)
        # [B, HW, 3, heads, C / heads] to three times [B, heads, HW, C / heads]
        projected = projected.unflatten(2, (3, self.heads, channels // self.heads))
        queries, keys, values = projected.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(queries, keys, values)
        mixed = self.output(mixed.transpose(1, 2).flatten(2))
        return maps + mixed.transpose(1, 2).reshape(batch, channels, height, width)


class UNet(nn.Module):
    """The U-Net that predicts the clean slice (released configuration by default).

    channels          width of the first level; the time embedding is four times as wide
    multipliers       width of each level in units of `channels`; each level halves the resolution
    residual_blocks   per level of the descending path; the ascending path has one more
    attention_heads   of the one attention layer, at the lowest resolution
    condition_width   width of the condition vector; None builds the plain DDPM network

    With the defaults it has 44,068,481 parameters for a 512-wide condition, 37,513,857 without.
    """

    # Norms, activations and casts take about as long as the convolutions if they run separately,
    # and little time if they are fused.
    worth_compiling = True

    def __init__(
        self,
        *,
        channels: int = 128,
        multipliers: tuple[int, ...] = (1, 2, 2),
        residual_blocks: int = 3,
        attention_heads: int = 4,
        condition_width: int | None,
    ) -> None:
        super().__init__()
        if channels < 2 or channels % 2:
            raise ValueError(f"channels must be even and positive, got {channels}")
        if not multipliers or min(multipliers) < 1:
            raise ValueError(f"multipliers must be positive, got {tuple(multipliers)}")
        if residual_blocks < 1:
            raise ValueError(f"residual_blocks must be at least 1, got {residual_blocks}")
        if condition_width is not None and condition_width < 1:
            raise ValueError(f"condition_width must be positive or None, got {condition_width}")
        self.channels = channels
        self.condition_width = condition_width
        self.reduction = 2 ** (len(multipliers) - 1)
        time_width = 4 * channels
        self.time_embedding = nn.Sequential(
            nn.Linear(channels, time_width), nn.SiLU(), nn.Linear(time_width, time_width)
        )
        embedding_width = time_width
        if condition_width is not None:
            self.condition_embedding = nn.Sequential(
                nn.Linear(condition_width, time_width),
                nn.SiLU(),
                nn.Linear(time_width, time_width),
            )
            embedding_width = 2 * time_width

        def block(in_channels: int, out_channels: int, direction: str = "none") -> ResidualBlock:
            return ResidualBlock(
                in_channels=in_channels,
                out_channels=out_channels,
                embedding_width=embedding_width,
                direction=direction,
            )

        widths = [channels * multiplier for multiplier in multipliers]
        self.stem = nn.Conv2d(1, widths[0], 3, padding=1)
        # The ascending path uses every map of the descending one, including stem and halved maps.
        kept = [widths[0]]
        self.descent = nn.ModuleList()
        for level, width in enumerate(widths):
            for _ in range(residual_blocks):
                self.descent.append(block(kept[-1], width))
                kept.append(width)
            if level < len(widths) - 1:
                self.descent.append(block(width, width, "down"))
                kept.append(width)
        self.bottom_first = block(widths[-1], widths[-1])
        self.bottom_attention = SelfAttention(widths[-1], attention_heads)
        self.bottom_second = block(widths[-1], widths[-1])
        self.ascent = nn.ModuleList()
        current = widths[-1]
        for level, width in reversed(list(enumerate(widths))):
            stage = nn.ModuleList()
            for _ in range(residual_blocks + 1):
                stage.append(block(current + kept.pop(), width))
                current = width
            if level > 0:
                stage.append(block(width, width, "up"))
            self.ascent.append(stage)
        self.output_norm = _group_norm(widths[0])
        self.output_convolution = _zeroed(nn.Conv2d(widths[0], 1, 3, padding=1))

    def forward(self, noised: Tensor, timesteps: Tensor, condition: Tensor | None = None) -> Tensor:
        """Predict the clean slices, float32 [B, 1, H, W], in the range of the noised ones.

        noised     [B, 1, H, W]; H and W divisible by 2 ** (levels - 1)
        timesteps  [B] integers
        condition  [B, condition_width], or None for a network without a condition

        Raises ValueError for another shape or type.
        """
        self._check(noised, timesteps, condition)
        sinusoids = timestep_embedding(timesteps, self.channels).to(noised.dtype)
        embedding = self.time_embedding(sinusoids)
        if condition is not None:
            embedding = torch.cat([embedding, self.condition_embedding(condition)], dim=1)
        # Each block would start with this SiLU of the embedding: once is enough.
        embedding = functional.silu(embedding)
        hidden = self.stem(noised)
        kept = [hidden]
        for down in self.descent:
            hidden = down(hidden, embedding)
            kept.append(hidden)
        hidden = self.bottom_first(hidden, embedding)
        hidden = self.bottom_second(self.bottom_attention(hidden), embedding)
        for stage in self.ascent:
            for up in stage:
                if up.resampling.direction == "none":
                    hidden = torch.cat([hidden, kept.pop()], dim=1)
                hidden = up(hidden, embedding)
        hidden = functional.silu(self.output_norm(hidden))
        return in_full_precision(self.output_convolution, hidden)

    def _check(self, noised: Tensor, timesteps: Tensor, condition: Tensor | None) -> None:
        if noised.ndim != 4 or noised.shape[1] != 1:
            raise ValueError(f"noised must be [B, 1, H, W], got {tuple(noised.shape)}")
        if not noised.is_floating_point():
            raise ValueError(f"noised must be floating point, got {noised.dtype}")
        batch, _, height, width = noised.shape
        if height % self.reduction or width % self.reduction:
            raise ValueError(
                f"slices of {height}x{width} pixels do not divide by {self.reduction}, "
                "as this U-Net's levels need"
            )
        if timesteps.shape != (batch,) or timesteps.is_floating_point():
            raise ValueError(
                f"timesteps must be {batch} integers, got {timesteps.dtype} "
                f"of shape {tuple(timesteps.shape)}"
            )
        if (condition is None) != (self.condition_width is None):
            needs = "no condition" if self.condition_width is None else "a condition"
            raise ValueError(f"this U-Net was built for {needs}")
        if condition is not None and condition.shape != (batch, self.condition_width):
            raise ValueError(
                f"condition must be {(batch, self.condition_width)}, got {tuple(condition.shape)}"
            )
