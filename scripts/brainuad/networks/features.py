"""Features of a pretrained ResNet, an autoencoder of feature maps, and the similarity of both.

Meissen et al. 2023, "Unsupervised anomaly localization with structural feature-autoencoders"
(BrainLes 2022, arXiv 2208.10992), whose code has the MIT licence. The features are the maps of a
ResNet's stem and of its first two stages, resized to the size of the first.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from brainuad.compute.device import without_autocast
from brainuad.networks.precision import in_full_precision
from brainuad.networks.resnet import ResNetBackbone

STAGES = 2
DROPOUT = 0.1
# The SSIM constants for a value range of 1, since the values of features have no fixed range.
WINDOW, SIGMA = 5, 1.5
C1, C2 = 0.01**2, 0.03**2


def resized(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Maps [B, C, h, w] at another size, by bilinear interpolation from corner to corner."""
    return functional.interpolate(maps, tuple(size), mode="bilinear", align_corners=True)


class Features(nn.Module):
    """Maps of a ResNet's first layers, which are frozen.

    channels  their number in all maps together
    stride    the slice's size divided by that of the maps
    """

    channels: int
    stride: int

    def maps(self, images: Tensor) -> list[Tensor]:
        """The maps of the stem and of the stages, finest first."""
        raise NotImplementedError

    def train(self, mode: bool = True) -> "Features":
        """Stay in evaluation mode."""
        # ASSUME: the norms of FAE's pretrained network keep their statistics. In its authors' code
        # they use those of each batch in training.
        return super().train(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Features [B, channels, H / stride, W / stride] of images [B, 1, H, W] in [0, 1]."""
        finest, *others = self.maps(images)
        return torch.cat([finest, *(resized(maps, finest.shape[-2:]) for maps in others)], dim=1)


class SparkFeatures(Features):
    """Features of an encoder that SparK pretrains, with the parameter names of `ResNetBackbone`."""

    def __init__(self, backbone: ResNetBackbone) -> None:
        super().__init__()
        self.stem, self.stem_norm = backbone.stem, backbone.stem_norm
        self.stages = backbone.stages[:STAGES]
        self.pooled = backbone.pooled
        self.channels = self.stem.out_channels + sum(backbone.feature_channels[:STAGES])
        self.stride = backbone.stride // 8

    def maps(self, images: Tensor) -> list[Tensor]:
        hidden = functional.relu(self.stem_norm(self.stem(images)))
        if self.pooled:
            hidden = functional.max_pool2d(hidden, 3, stride=2, padding=1)
        maps = [hidden]
        for stage in self.stages:
            for bottleneck in stage:
                hidden = bottleneck(hidden)
            maps.append(hidden)
        return maps


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut, with torchvision's parameter names."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = nn.Identity()
        if stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride=stride, bias=False),
                nn.BatchNorm2d(channels),
            )

    def forward(self, maps: Tensor) -> Tensor:
        hidden = functional.relu(self.bn1(self.conv1(maps)))
        return functional.relu(self.bn2(self.conv2(hidden)) + self.downsample(maps))


class ResNet18Features(Features):
    """Features of a ResNet-18 for colour images (He et al. 2016), with torchvision's names."""

    channels, stride = 64 + 64 + 128, 4
    # Prefixes of a ResNet-18's later layers, which are not used.
    deeper = ("layer3.", "layer4.", "fc.")

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128, 1))

    def maps(self, images: Tensor) -> list[Tensor]:
        # In [-1, 1], as in the code of FAE's authors.
        colours = (2 * images - 1).expand(-1, 3, -1, -1)
        hidden = functional.relu(self.bn1(self.conv1(colours)))
        maps = [functional.max_pool2d(hidden, 3, stride=2, padding=1)]
        for layer in (self.layer1, self.layer2):
            maps.append(layer(maps[-1]))
        return maps


def _stage(convolution: nn.Conv2d | nn.ConvTranspose2d) -> nn.Sequential:
    norm = nn.BatchNorm2d(convolution.out_channels)
    return nn.Sequential(convolution, norm, nn.LeakyReLU(), nn.Dropout2d(DROPOUT))


class FeatureAutoencoder(nn.Module):
    """A convolutional autoencoder: encoder stages halve the maps, and the decoder mirrors them.

    features  number of channels of the feature maps
    channels  those of the encoder's stages
    """

    def __init__(self, *, features: int, channels: Sequence[int]) -> None:
        super().__init__()
        steps = list(pairwise((features, *channels)))
        self.encoder = nn.Sequential(
            *(_stage(nn.Conv2d(*step, 5, stride=2, padding=2, bias=False)) for step in steps),
            nn.Conv2d(channels[-1], channels[-1], 5, padding=2, bias=False),
        )
        self.decoder = nn.Sequential(
            *(
                _stage(nn.ConvTranspose2d(wide, narrow, 6, stride=2, padding=2, bias=False))
                for narrow, wide in reversed(steps)
            )
        )
        self.output = nn.Conv2d(features, features, 1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Reconstruct maps [B, features, h, w], float32; h and w are multiples of 2^stages."""
        return in_full_precision(self.output, self.decoder(self.encoder(maps)))


class StructuralSimilarity(nn.Module):
    """SSIM around each position of two maps, per channel (Wang et al., IEEE TIP 2004)."""

    def __init__(self) -> None:
        super().__init__()
        offsets = torch.arange(WINDOW) - WINDOW // 2
        weights = torch.exp(-offsets.square() / (2 * SIGMA**2))
        # Not in the state, since it is a constant.
        self.register_buffer("weights", weights / weights.sum(), persistent=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """SSIM in [-1, 1] of maps [B, C, h, w], float32, which are padded with 0."""
        with without_autocast(x.device):
            x, y = x.float(), y.float()
            smoothed = self._smoothed(torch.cat([x, y, x * x + y * y, x * y]))
            mean_x, mean_y, squares, product = smoothed.chunk(4)
            between = mean_x * mean_y
            within = mean_x.square() + mean_y.square()
            contrast = (2 * (product - between) + C2) / (squares - within + C2)
            return (2 * between + C1) / (within + C1) * contrast

    def _smoothed(self, maps: Tensor) -> Tensor:
        # Grouped by channel: channels reshaped into the batch take hundreds of times as long on a
        # CPU.
        channels, width = maps.shape[1], len(self.weights) // 2
        row = self.weights.expand(channels, 1, 1, -1)
        along = functional.conv2d(maps, row, padding=(0, width), groups=channels)
        return functional.conv2d(along, row.mT, padding=(width, 0), groups=channels)
