"""The encoder: a ResNet that turns a slice into the condition vector.

ResNet-50 in the v1.5 form (He et al. 2016, table 1; the stride is in the 3x3 convolution, as in
torchvision), with one input channel and stochastic depth (Huang et al. 2016). SparK (Tian et al.
2023) pretrains the same backbone sparsely, on the visible part of a slice only.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from brainuad.compute.device import to_device

EXPANSION = 4


@dataclass(frozen=True)
class VisiblePositions:
    """The visible positions of maps [B, C, h, w], as a mask and as a list for gathering.

    mask     [B, 1, h, w], 1 where visible, 0 elsewhere, of the maps' type
    indices  int64 [n], the visible positions of the map flattened as [B * h * w]
    """

    mask: Tensor
    indices: Tensor


def spread(visible: Tensor, maps: Tensor) -> VisiblePositions:
    """The visible positions of maps [B, C, H, W] from a mask of patches, bool [B, h, w].

    The mask of patches is on the CPU, which counts the positions: the CPU would have to wait for a
    GPU that counted them. Raises ValueError for another shape or type, or if the maps do not divide
    into the patches.
    """
    pixels = _repeated(visible, maps)
    return VisiblePositions(
        mask=_as_mask(pixels, maps),
        indices=to_device(pixels.flatten().nonzero().squeeze(1), maps.device),
    )


def spread_mask(visible: Tensor, maps: Tensor) -> Tensor:
    """Only the mask of `spread`, [B, 1, H, W]."""
    return _as_mask(_repeated(visible, maps), maps)


def _as_mask(pixels: Tensor, maps: Tensor) -> Tensor:
    return to_device(pixels, maps.device).to(maps.dtype)[:, None]


def _repeated(visible: Tensor, maps: Tensor) -> Tensor:
    """The mask of patches at the size of the maps, bool [B, H, W]."""
    if visible.ndim != 3 or visible.dtype != torch.bool or visible.shape[0] != maps.shape[0]:
        raise ValueError(
            f"visible must be bool [{maps.shape[0]}, h, w], got {visible.dtype} "
            f"of shape {tuple(visible.shape)}"
        )
    height, width = maps.shape[-2:]
    rows, columns = visible.shape[-2:]
    if height % rows or width % columns:
        raise ValueError(
            f"a map of {height}x{width} does not divide into {rows}x{columns} patches; "
            "the patch size must be a multiple of the network's stride"
        )
    return visible.repeat_interleave(height // rows, 1).repeat_interleave(width // columns, 2)


class MaskedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization that can leave out hidden positions, which become zero.

    Without positions it is exactly `nn.BatchNorm2d`; with them, the statistics are those of only
    the visible positions, as in SparK's sparse encoder.
    """

    def forward(self, maps: Tensor, positions: VisiblePositions | None = None) -> Tensor:
        """Maps [B, C, h, w] to the same shape; see `VisiblePositions`."""
        if positions is None:
            return super().forward(maps)
        batch, channels, height, width = maps.shape
        pixels = maps.permute(0, 2, 3, 1).reshape(-1, channels)
        seen = pixels.index_select(0, positions.indices)
        normalised = super().forward(seen[:, :, None, None])[:, :, 0, 0]
        filled = torch.zeros_like(pixels).index_copy(0, positions.indices, normalised)
        return filled.view(batch, height, width, channels).permute(0, 3, 1, 2)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions around a shortcut, dropped per slice with a probability."""

    def __init__(
        self, *, in_channels: int, channels: int, stride: int, drop_probability: float
    ) -> None:
        super().__init__()
        out_channels = EXPANSION * channels
        self.drop_probability = drop_probability
        self.reduce = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.reduce_norm = MaskedBatchNorm2d(channels)
        self.spatial = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.spatial_norm = MaskedBatchNorm2d(channels)
        self.expand = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.expand_norm = MaskedBatchNorm2d(out_channels)
        self.project = None
        if stride != 1 or in_channels != out_channels:
            self.project = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
            self.project_norm = MaskedBatchNorm2d(out_channels)

    def forward(
        self,
        maps: Tensor,
        before: VisiblePositions | None = None,
        after: VisiblePositions | None = None,
    ) -> Tensor:
        """Maps [B, in, h, w] to [B, 4 * channels, h / stride, w / stride].

        The visible positions are those at the resolution before and after the stride.
        """
        hidden = functional.relu(self.reduce_norm(self.reduce(maps), before))
        hidden = functional.relu(self.spatial_norm(self.spatial(hidden), after))
        hidden = self._drop(self.expand_norm(self.expand(hidden), after))
        if self.project is not None:
            maps = self.project_norm(self.project(maps), after)
        return functional.relu(maps + hidden)

    def _drop(self, branch: Tensor) -> Tensor:
        if not self.training or self.drop_probability == 0:
            return branch
        # Drawn from torch's default generator, which the training loop seeds at each step.
        keep = 1 - self.drop_probability
        drawn = torch.rand(branch.shape[0], 1, 1, 1, device=branch.device) < keep
        return branch * (drawn / keep).to(branch.dtype)


class ResNetBackbone(nn.Module):
    """The ResNet without its last layer, which SparK pretrains.

    width             channels of the stem; the four stages give 4, 8, 16 and 32 times as many
    blocks            bottlenecks per stage
    stem_stride       4: strided 7x7 convolution and max pooling (the paper); 2: without the
                      pooling; 1: without the stride too
    stochastic_depth  probability to drop the last bottleneck; it rises linearly from 0

    The deepest map is `stride` = 8 * stem_stride times smaller than the slice.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        blocks: tuple[int, ...] = (3, 4, 6, 3),
        stem_stride: int = 4,
        stochastic_depth: float = 0.05,
    ) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"width must be positive, got {width}")
        if len(blocks) != 4 or min(blocks) < 1:
            raise ValueError(f"blocks must be four positive numbers, got {tuple(blocks)}")
        if stem_stride not in (1, 2, 4):
            raise ValueError(f"stem_stride must be 1, 2 or 4, got {stem_stride}")
        if not 0 <= stochastic_depth < 1:
            raise ValueError(f"stochastic_depth must be in [0, 1), got {stochastic_depth}")
        self.stride = 8 * stem_stride
        self.feature_channels = tuple(EXPANSION * width * 2**stage for stage in range(4))
        self.pooled = stem_stride == 4
        self.stem = nn.Conv2d(1, width, 7, stride=min(stem_stride, 2), padding=3, bias=False)
        self.stem_norm = MaskedBatchNorm2d(width)
        # ASSUME: the probability of stochastic depth, which is drawn per slice, rises linearly over
        # the blocks, as in timm.
        last = max(sum(blocks) - 1, 1)
        probabilities = iter(stochastic_depth * block / last for block in range(sum(blocks)))
        self.stages = nn.ModuleList()
        in_channels = width
        for stage, out_channels in enumerate(self.feature_channels):
            bottlenecks = nn.ModuleList()
            for block in range(blocks[stage]):
                bottlenecks.append(
                    Bottleneck(
                        in_channels=in_channels,
                        channels=out_channels // EXPANSION,
                        stride=2 if stage > 0 and block == 0 else 1,
                        drop_probability=next(probabilities),
                    )
                )
                in_channels = out_channels
            self.stages.append(bottlenecks)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            # ASSUME: each bottleneck starts as an identity (last norm's weight zero), as in timm.
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.expand_norm.weight)

    def feature_maps(self, images: Tensor, visible: Tensor | None = None) -> tuple[Tensor, ...]:
        """The maps of the four stages, finest first: [B, C_i, H / s_i, W / s_i].

        images   [B, 1, H, W] of about 0 to 1
        visible  bool [B, h, w] on the CPU: the visible patches of the slice; None means all. Hidden
                 patches are zero in the input and after each norm and pooling, so that no map at a
                 visible position depends on them, and are zero in the returned maps

        Raises ValueError for another shape, or if a map does not divide into the patches.
        """
        if images.ndim != 4 or images.shape[1] != 1:
            raise ValueError(f"images must be [B, 1, H, W], got {tuple(images.shape)}")
        if not images.is_floating_point():
            raise ValueError(f"images must be floating point, got {images.dtype}")
        if visible is not None:
            images = images * spread_mask(visible, images)
        hidden = self.stem(images)
        positions = None if visible is None else spread(visible, hidden)
        hidden = functional.relu(self.stem_norm(hidden, positions))
        if self.pooled:
            hidden = functional.max_pool2d(hidden, 3, stride=2, padding=1)
            if visible is not None:
                positions = spread(visible, hidden)
                hidden = hidden * positions.mask
        maps = []
        for bottlenecks in self.stages:
            for bottleneck in bottlenecks:
                before = positions
                if visible is not None and bottleneck.spatial.stride != (1, 1):
                    # The stride takes every second position.
                    positions = spread(visible, hidden[:, :, ::2, ::2])
                hidden = bottleneck(hidden, before, positions)
            maps.append(hidden)
        return tuple(maps)

    def forward(self, images: Tensor, visible: Tensor | None = None) -> Tensor:
        """The deepest map [B, 32 * width, H / stride, W / stride]; see `feature_maps`."""
        return self.feature_maps(images, visible)[-1]


class ResNetEncoder(nn.Module):
    """Slice to condition vector: backbone, average over the map, one linear layer.

    With the defaults it has 24,550,848 parameters for 512 outputs. Pretrained weights are loaded
    by `encoder.backbone.load_state_dict(state, strict=True)`.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        blocks: tuple[int, ...] = (3, 4, 6, 3),
        condition_width: int = 512,
        stem_stride: int = 4,
        stochastic_depth: float = 0.05,
    ) -> None:
        super().__init__()
        if condition_width < 1:
            raise ValueError(f"condition_width must be positive, got {condition_width}")
        self.backbone = ResNetBackbone(
            width=width, blocks=blocks, stem_stride=stem_stride, stochastic_depth=stochastic_depth
        )
        self.output = nn.Linear(self.backbone.feature_channels[-1], condition_width)

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 1, H, W] to [B, condition_width]; ValueError for another shape."""
        return self.output(self.backbone(images).mean((2, 3)))
