"""Masked modelling with a convolutional encoder: SparK (Tian et al. 2023, arXiv 2301.03580).

A slice is divided into square patches and most of them are hidden. The encoder runs sparsely on the
others, the gaps in its maps at four scales are filled with learned mask tokens ("densified"), and a
light U-Net decoder reconstructs the hidden patches. Only the encoder's backbone is used afterwards.
"""

import math

import torch
from torch import Tensor, nn

from brainuad.networks.precision import in_full_precision
from brainuad.networks.resnet import (
    MaskedBatchNorm2d,
    ResNetBackbone,
    VisiblePositions,
    spread,
    spread_mask,
)


def kept_patches(patches: int, mask_ratio: float) -> int:
    """How many of a slice's patches stay visible: 3 of 9 at a mask ratio of .65."""
    kept = round(patches * (1 - mask_ratio))
    if not 1 <= kept < patches:
        raise ValueError(
            f"a mask ratio of {mask_ratio} keeps {kept} of {patches} patches; "
            "at least one must stay visible and one be hidden"
        )
    return kept


def random_visible(
    batch: int, grid: tuple[int, int], *, keep: int, generator: torch.Generator
) -> Tensor:
    """Draw `keep` visible patches of the grid (rows, columns) for each slice.

    Returns bool [batch, rows, columns] on the generator's device; the same state of the generator
    gives the same mask.
    """
    rows, columns = grid
    if not 0 < keep <= rows * columns:
        raise ValueError(f"cannot keep {keep} of {rows}x{columns} patches")
    drawn = torch.rand(batch, rows * columns, generator=generator, device=generator.device)
    visible = torch.zeros_like(drawn, dtype=torch.bool)
    visible.scatter_(1, drawn.argsort(dim=1)[:, :keep], True)
    return visible.view(batch, rows, columns)


def masked_patch_loss(reconstructions: Tensor, images: Tensor, visible: Tensor) -> Tensor:
    """Mean squared error over the hidden patches only, without normalizing the patches.

    reconstructions, images [B, 1, H, W]; visible bool [B, h, w] on the CPU. Returns a scalar, 0 if
    no patch is hidden. Raises ValueError for shapes that do not fit.
    """
    if reconstructions.shape != images.shape:
        raise ValueError(
            f"reconstructions {tuple(reconstructions.shape)} and images {tuple(images.shape)} "
            "must have the same shape"
        )
    hidden = 1 - spread_mask(visible, images)
    squared = (reconstructions - images).square() * hidden
    return squared.sum() / hidden.sum().clamp(min=1)


class Densifier(nn.Module):
    """Normalize the visible positions of one scale's maps, put a token at the others, project."""

    def __init__(self, *, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        self.norm = MaskedBatchNorm2d(in_channels)
        self.token = nn.Parameter(torch.empty(1, in_channels, 1, 1))
        nn.init.trunc_normal_(self.token, std=0.02, a=-0.02, b=0.02)
        self.project: nn.Module = nn.Identity()
        if kernel_size > 1 or in_channels != out_channels:
            self.project = nn.Conv2d(
                in_channels, out_channels, kernel_size, padding=kernel_size // 2
            )

    def forward(self, maps: Tensor, positions: VisiblePositions) -> Tensor:
        """Sparse maps [B, in, h, w] to dense ones [B, out, h, w]."""
        return self.project(self.norm(maps, positions) + self.token * (1 - positions.mask))


class DecoderBlock(nn.Module):
    """Double the resolution, then two convolutions."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ConvTranspose2d(in_channels, in_channels, 4, stride=2, padding=1),
            nn.Conv2d(in_channels, in_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(in_channels),
            nn.ReLU6(),
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, maps: Tensor) -> Tensor:
        return self.layers(maps)


class SparK(nn.Module):
    """Sparse encoder and light decoder that reconstruct the hidden patches of a slice.

    width, blocks, stem_stride, stochastic_depth   of the backbone, see `ResNetBackbone`
    decoder_width   channels at the deepest scale, halved with every doubling of the resolution
    patch_size      in pixels, a multiple of the backbone's stride (32 with the paper's stem)
    mask_ratio      fraction of hidden patches

    After the pretraining, the state of `backbone` is loaded into `ResNetEncoder.backbone`.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        blocks: tuple[int, ...] = (3, 4, 6, 3),
        stem_stride: int = 4,
        stochastic_depth: float = 0.05,
        decoder_width: int = 512,
        patch_size: int = 32,
        mask_ratio: float = 0.65,
    ) -> None:
        super().__init__()
        self.backbone = ResNetBackbone(
            width=width, blocks=blocks, stem_stride=stem_stride, stochastic_depth=stochastic_depth
        )
        stride = self.backbone.stride
        if patch_size < 1 or patch_size % stride:
            raise ValueError(
                f"patch_size {patch_size} is not a multiple of the encoder's stride {stride}; "
                "a smaller stem_stride gives a smaller stride"
            )
        if not 0 < mask_ratio < 1:
            raise ValueError(f"mask_ratio must be between 0 and 1, got {mask_ratio}")
        doublings = int(math.log2(stride))
        if decoder_width < 1 or decoder_width % 2**doublings:
            raise ValueError(
                f"decoder_width {decoder_width} cannot be halved {doublings} times; "
                f"take a multiple of {2**doublings}"
            )
        self.patch_size = patch_size
        self.mask_ratio = mask_ratio
        widths = [decoder_width // 2**step for step in range(doublings + 1)]
        # The decoder works from the deepest scale to the finest.
        self.densifiers = nn.ModuleList(
            Densifier(
                in_channels=in_channels,
                out_channels=widths[step],
                # ASSUME: the deepest maps are projected by 1x1 convolutions, the others by 3x3, as
                # in SparK's code.
                kernel_size=1 if step == 0 else 3,
            )
            for step, in_channels in enumerate(reversed(self.backbone.feature_channels))
        )
        self.decoder = nn.ModuleList(
            DecoderBlock(widths[step], widths[step + 1]) for step in range(doublings)
        )
        self.output = nn.Conv2d(widths[-1], 1, 1)
        self._initialise_decoder()

    def _initialise_decoder(self) -> None:
        """Draw weights as SparK's code; the densifiers' projections keep torch's default."""
        for module in (*self.decoder.modules(), self.output):
            if isinstance(module, nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Conv2d):
                # Truncated at -2 and 2, which no draw reaches.
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of patches of a slice; ValueError if they do not fit."""
        if height % self.patch_size or width % self.patch_size:
            raise ValueError(
                f"slices of {height}x{width} pixels do not divide into patches of "
                f"{self.patch_size} pixels"
            )
        return height // self.patch_size, width // self.patch_size

    def random_visible(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Draw a mask for images [B, 1, H, W] at the mask ratio: bool [B, h, w].

        It is on the generator's device, the CPU; see `resnet.spread`.
        """
        grid = self.grid(*images.shape[-2:])
        keep = kept_patches(grid[0] * grid[1], self.mask_ratio)
        return random_visible(images.shape[0], grid, keep=keep, generator=generator)

    def forward(self, images: Tensor, visible: Tensor) -> Tensor:
        """Reconstruct whole slices, float32 [B, 1, H, W], from the visible patches of images.

        visible  bool [B, H / patch_size, W / patch_size] on the CPU

        Raises ValueError for shapes that do not fit.
        """
        if images.ndim != 4:
            raise ValueError(f"images must be [B, 1, H, W], got {tuple(images.shape)}")
        expected = (images.shape[0], *self.grid(*images.shape[-2:]))
        if tuple(visible.shape) != expected:
            raise ValueError(f"visible must be {expected}, got {tuple(visible.shape)}")
        maps = self.backbone.feature_maps(images, visible)
        hidden: Tensor | None = None
        for step, block in enumerate(self.decoder):
            if step < len(self.densifiers):
                scale = maps[-1 - step]
                dense = self.densifiers[step](scale, spread(visible, scale))
                hidden = dense if hidden is None else hidden + dense
            hidden = block(hidden)
        return in_full_precision(self.output, hidden)
