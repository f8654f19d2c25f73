"""The denoising U-Net: its size counted by hand, its standardised filters, its inputs."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from brainuad.networks.denoising import DenoisingUNet, MirroredBorder, StandardizedConvolution


def build(channels=8, levels=3):
    torch.manual_seed(0)
    return DenoisingUNet(channels=channels, levels=levels).eval()


def test_parameter_count_at_the_size_of_the_reference():
    with torch.device("meta"):
        network = DenoisingUNet(channels=64, levels=4)

    def pair(in_channels, out_channels):
        # Two 3x3 convolutions with biases, and a scale and a shift for each channel after each.
        return 9 * (in_channels + out_channels) * out_channels + 2 * (1 + 2) * out_channels

    descent = sum(pair(*step) for step in ((1, 64), (64, 128), (128, 256), (256, 512)))
    ascent = sum(pair(2 * width, width) for width in (64, 128, 256))
    doublings = sum(4 * 2 * width * width + width for width in (64, 128, 256))
    expected = descent + ascent + doublings + 64 + 1
    assert sum(value.numel() for value in network.parameters()) == expected == 7_701_825


@pytest.mark.parametrize(("channels", "groups"), [(64, 8), (128, 16), (256, 16), (512, 32), (6, 3)])
def test_groups_are_those_of_the_reference(channels, groups):
    norms = [layer for layer in build(channels, 1).modules() if isinstance(layer, nn.GroupNorm)]
    assert {norm.num_groups for norm in norms} == {groups}


def test_a_standardised_convolution_by_scipy():
    torch.manual_seed(0)
    layer = StandardizedConvolution(1, 1, 3)
    image = np.random.default_rng(0).random((6, 7))
    weight = layer.weight.detach().numpy()[0, 0].astype(np.float64)
    standard = (weight - weight.mean()) / (weight.std(ddof=1) + 1e-5)
    expected = ndimage.correlate(image, standard)[1:-1, 1:-1] + float(layer.bias.detach())
    result = layer(torch.from_numpy(image).float()[None, None]).detach()[0, 0]
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_the_border_is_torchs_own_and_so_is_its_gradient():
    maps = torch.randn(2, 3, 4, 5, requires_grad=True)
    weights = torch.randn(2, 3, 6, 7)
    gradients = []
    for border in (MirroredBorder(), nn.ReflectionPad2d(1)):
        (border(maps) * weights).sum().backward()
        gradients.append(maps.grad)
        maps.grad = None
    torch.testing.assert_close(MirroredBorder()(maps), nn.ReflectionPad2d(1)(maps))
    torch.testing.assert_close(*gradients)


def test_scale_and_offset_of_the_filters_do_not_matter():
    layer = StandardizedConvolution(3, 4, 3)
    maps = torch.randn(2, 3, 8, 8)
    before = layer(maps)
    with torch.no_grad():
        layer.weight.mul_(5).add_(3)
    torch.testing.assert_close(layer(maps), before, atol=1e-3, rtol=1e-3)


def test_the_output_has_the_input_shape_and_every_parameter_learns():
    network = build()
    slices = torch.rand(2, 1, 16, 24)
    output = network(slices)
    assert output.shape == slices.shape
    output.square().sum().backward()
    assert [name for name, value in network.named_parameters() if not value.grad.any()] == []


def test_slices_of_a_batch_do_not_touch_each_other():
    network = build()
    slices = torch.rand(3, 1, 16, 16)
    torch.testing.assert_close(network(slices)[:1], network(slices[:1]))


@pytest.mark.parametrize(
    ("slices", "message"),
    [
        (torch.zeros(2, 16, 16), r"noised must be \[B, 1, H, W\]"),
        (torch.zeros(2, 2, 16, 16), r"noised must be \[B, 1, H, W\]"),
        (torch.zeros(2, 1, 18, 16), "18x16 pixels do not divide by 4"),
        (torch.zeros(2, 1, 16, 4), "16x4 pixels do not divide by 4 into 2 or more"),
    ],
)
def test_wrong_inputs_are_named(slices, message):
    with pytest.raises(ValueError, match=message):
        build()(slices)


@pytest.mark.parametrize("settings", [{"channels": 0, "levels": 3}, {"channels": 8, "levels": 0}])
def test_wrong_settings_are_named(settings):
    with pytest.raises(ValueError, match="must be positive, got 0"):
        DenoisingUNet(**settings)
