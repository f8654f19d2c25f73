"""The fastest that a device computes, measured: what a network's step is a share of."""

import torch
from measuring import elapsed
from torch import nn

MATRIX = 8192
PRODUCTS = 10


def measured_peak(
    device: torch.device, memory_format: torch.memory_format, batch: int
) -> tuple[str, float]:
    """What was measured, and its FLOP/s: convolutions on a processor, products on a GPU."""
    if device.type == "cuda":
        return f"bf16 matrix products of {MATRIX}x{MATRIX}", matrix_rate(device)
    return "3x3 convolutions of 128 channels at 96x96", convolution_rate(memory_format, batch)


def convolution_rate(memory_format: torch.memory_format, batch: int) -> float:
    """FLOP/s of a convolution and its derivatives, in float32, with torch's threads as they are."""
    layer = nn.Conv2d(128, 128, 3, padding=1).to(memory_format=memory_format)
    images = torch.randn(batch, 128, 96, 96).to(memory_format=memory_format).requires_grad_()
    derivative = torch.randn(batch, 128, 96, 96).to(memory_format=memory_format)

    def once() -> None:
        layer(images).backward(derivative)

    once()
    seconds = min(elapsed(once) for _ in range(20))
    # Forward and two derivatives; a product and a sum for each of 9 weights and 128 channels.
    return 3 * 2 * batch * 96 * 96 * 9 * 128 * 128 / seconds


def matrix_rate(device: torch.device) -> float:
    """FLOP/s of products of bf16 matrices of random numbers (zeros are faster)."""
    first, second = (
        torch.randn(MATRIX, MATRIX, dtype=torch.bfloat16, device=device) for _ in range(2)
    )

    def products() -> None:
        for _ in range(PRODUCTS):
            first @ second

    products()
    wait = torch.cuda.synchronize
    seconds = min(elapsed(products, wait) for _ in range(3))
    return PRODUCTS * 2 * MATRIX**3 / seconds
