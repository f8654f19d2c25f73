"""The convolutional autoencoder, with a latent vector or a latent map, plain or variational.

Baur et al. 2021, "Autoencoders for unsupervised anomaly segmentation in brain MR images: a
comparative study" (Medical Image Analysis 69:101952), in the architecture that the study uses for
all its methods.
"""

import math

from torch import Tensor, nn

from brainuad.networks.precision import in_full_precision

SLOPE = 0.3
DENSE_REDUCTION = 8


def halving(in_channels: int, out_channels: int) -> nn.Sequential:
    """A stage of the encoder: 5x5 convolution of stride 2, batch norm, leaky ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 5, stride=2, padding=2),
        nn.BatchNorm2d(out_channels),
        # ASSUME: the leaky ReLU's slope is 0.3, the default of the library that the study used.
        nn.LeakyReLU(SLOPE),
    )


def doubling(in_channels: int, out_channels: int) -> nn.Sequential:
    """A stage of the decoder: transposed 5x5 convolution of stride 2, batch norm, leaky ReLU."""
    return nn.Sequential(
        nn.ConvTranspose2d(in_channels, out_channels, 5, stride=2, padding=2, output_padding=1),
        nn.BatchNorm2d(out_channels),
        nn.LeakyReLU(SLOPE),
    )


class LatentVector(nn.Module):
    """From the deepest map to vectors and back, through a 1x1 convolution and dense layers."""

    def __init__(self, *, channels: int, size: tuple[int, int], latent: int, vectors: int) -> None:
        super().__init__()
        narrow = max(1, channels // DENSE_REDUCTION)
        entries = narrow * math.prod(size)
        self.narrow = nn.Sequential(nn.Conv2d(channels, narrow, 1), nn.Flatten())
        self.heads = nn.ModuleList(nn.Linear(entries, latent) for _ in range(vectors))
        self.widen = nn.Sequential(
            nn.Linear(latent, entries),
            nn.Unflatten(1, (narrow, *size)),
            nn.Conv2d(narrow, channels, 1),
        )


class LatentMap(nn.Module):
    """From the deepest map to maps of other channels and back, through 1x1 convolutions."""

    def __init__(self, *, channels: int, latent: int, vectors: int) -> None:
        super().__init__()
        self.narrow = nn.Identity()
        self.heads = nn.ModuleList(nn.Conv2d(channels, latent, 1) for _ in range(vectors))
        self.widen = nn.Conv2d(latent, channels, 1)


class ConvolutionalAutoencoder(nn.Module):
    """Encoder, latent, decoder.

    size         rows and columns of the slices
    channels     of the encoder's stages, each of which halves the resolution; the decoder has them
                 in reverse order
    latent       width of the latent vector, or channels of the latent map
    spatial      use a latent map of the deepest map's size, and not a vector
    variational  the latent is a normal distribution, given by its mean and the logarithm of its
                 variance

    With channels (32, 64, 128, 128) and slices of 96x96 it has 1,512,113 parameters for a vector of
    128, and 1,585,969 for a variational one.
    """

    def __init__(
        self,
        *,
        size: tuple[int, int],
        channels: tuple[int, ...],
        latent: int,
        spatial: bool,
        variational: bool,
    ) -> None:
        super().__init__()
        if not channels or min(channels) < 1:
            raise ValueError(f"channels must be positive, got {tuple(channels)}")
        if latent < 1:
            raise ValueError(f"latent must be positive, got {latent}")
        reduction = 2 ** len(channels)
        if len(size) != 2 or min(size) < 1 or any(length % reduction for length in size):
            raise ValueError(
                f"size must be rows and columns that divide by {reduction}, since each of the "
                f"{len(channels)} stages halves them, got {tuple(size)}"
            )
        self.size = tuple(size)
        deepest = (size[0] // reduction, size[1] // reduction)
        steps = list(zip((1, *channels[:-1]), channels, strict=True))
        self.encoder = nn.Sequential(*(halving(*step) for step in steps))
        vectors = 2 if variational else 1
        self.bottleneck: LatentVector | LatentMap = (
            LatentMap(channels=channels[-1], latent=latent, vectors=vectors)
            if spatial
            else LatentVector(channels=channels[-1], size=deepest, latent=latent, vectors=vectors)
        )
        outputs = (channels[0], *channels[:-1])
        self.decoder = nn.Sequential(
            nn.BatchNorm2d(channels[-1]),
            nn.ReLU(),
            *(doubling(*step) for step in reversed(list(zip(channels, outputs, strict=True)))),
        )
        self.output = nn.Conv2d(channels[0], 1, 1)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Means, and log variances if variational, of the latents of images [B, 1, H, W].

        Each is float32 [B, latent], or [B, latent, h, w] if spatial. Raises ValueError for slices
        of another size.
        """
        if images.shape[1:] != (1, *self.size):
            rows, columns = self.size
            raise ValueError(f"images must be [B, 1, {rows}, {columns}], got {tuple(images.shape)}")
        narrowed = self.bottleneck.narrow(self.encoder(images))
        means, *log_variances = (
            in_full_precision(head, narrowed) for head in self.bottleneck.heads
        )
        return means, log_variances[0] if log_variances else None

    def decode(self, latents: Tensor) -> Tensor:
        """Slices, float32 [B, 1, H, W], of latents of the shape that `encode` gives."""
        return in_full_precision(self.output, self.decoder(self.bottleneck.widen(latents)))

    def forward(self, images: Tensor) -> Tensor:
        """Reconstruct images [B, 1, H, W] from the means of their latents."""
        return self.decode(self.encode(images)[0])
