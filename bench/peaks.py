"""The measured peak of a CPU or a GPU, with which a network's step is compared."""

import torch
from measuring import elapsed
from torch import nn

CONVOLUTION = "3x3 convolutions of 128 channels at 96x96"
MATRIX = 8192
PRODUCTS = 10


def convolution_rate(memory_format: torch.memory_format, batch: int) -> float:
    """FLOP/s of the convolution and its derivatives on a CPU, float32, with torch's threads."""
    layer = nn.Conv2d(128, 128, 3, padding=1).to(memory_format=memory_format)
    images = torch.randn(batch, 128, 96, 96).to(memory_format=memory_format).requires_grad_()
    derivative = torch.randn(batch, 128, 96, 96).to(memory_format=memory_format)

    def once() -> None:
        layer(images).backward(derivative)

    once()
    seconds = min(elapsed(once) for _ in range(20))
    # Forward and two derivatives: one product and one sum per weight (9) and channel (128).
    return 3 * 2 * batch * 96 * 96 * 9 * 128 * 128 / seconds


def matrix_rate(device: torch.device) -> float:
    """FLOP/s of matrix products on a GPU in bf16, of random numbers (zeros are faster)."""
    first, second = (
        torch.randn(MATRIX, MATRIX, dtype=torch.bfloat16, device=device) for _ in range(2)
    )

    def products() -> None:
        for _ in range(PRODUCTS):
            first @ second
        torch.cuda.synchronize()

    products()
    seconds = min(elapsed(products) for _ in range(3))
    return PRODUCTS * 2 * MATRIX**3 / seconds
