"""The U-Net against the released code's numbers, formulas by hand and torch's own attention."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from brainuad.networks.unet import ResidualBlock, SelfAttention, UNet, timestep_embedding

SMALL = {"channels": 16, "multipliers": (1, 2, 2), "residual_blocks": 1, "attention_heads": 2}


def awaken(module: nn.Module) -> nn.Module:
    """Give the layers that start at zero some weight, so that they matter."""
    for parameter in module.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return module


@pytest.fixture
def small() -> UNet:
    torch.manual_seed(0)
    return awaken(UNet(**SMALL, condition_width=8))


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(2, 1, 16, 24), torch.tensor([10, 700]), torch.randn(2, 8)


@pytest.mark.parametrize(("condition_width", "expected"), [(512, 44_068_481), (None, 37_513_857)])
def test_parameter_count_is_that_of_the_released_network(condition_width, expected):
    with torch.device("meta"):
        network = UNet(condition_width=condition_width)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


def test_the_released_network_has_its_blocks_groups_and_heads():
    with torch.device("meta"):
        network = UNet(condition_width=512)
    modules = list(network.modules())
    # Down 3 x 3 and 2 that halve, middle 2, up 3 x 4 and 2 that double.
    assert sum(isinstance(module, ResidualBlock) for module in modules) == 9 + 2 + 2 + 12 + 2
    assert {module.num_groups for module in modules if isinstance(module, nn.GroupNorm)} == {32}
    (attention,) = [module for module in modules if isinstance(module, SelfAttention)]
    assert attention.norm.num_channels // attention.heads == 64


def test_timestep_embedding_by_hand():
    embedding = timestep_embedding(torch.tensor([0, 3]), 4)
    expected = [math.cos(3), math.cos(0.03), math.sin(3), math.sin(0.03)]
    torch.testing.assert_close(embedding, torch.tensor([[1.0, 1.0, 0.0, 0.0], expected]))


@pytest.mark.parametrize("direction", ["none", "down", "up"])
def test_a_fresh_block_only_resamples(direction):
    torch.manual_seed(0)
    block = ResidualBlock(in_channels=8, out_channels=8, embedding_width=4, direction=direction)
    maps = torch.randn(2, 8, 6, 4)
    expected = {
        "none": maps,
        "down": maps.unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5)),
        "up": maps.repeat_interleave(2, 2).repeat_interleave(2, 3),
    }[direction]
    torch.testing.assert_close(block(maps, torch.randn(2, 4)), expected)


def test_scale_and_shift_act_as_film_on_the_second_norm():
    torch.manual_seed(0)
    block = awaken(ResidualBlock(in_channels=8, out_channels=16, embedding_width=4))
    maps, embedding = torch.randn(3, 8, 5, 5), torch.randn(3, 4)
    modulation = embedding @ block.modulation.weight.T + block.modulation.bias
    scale, shift = modulation[:, :16, None, None], modulation[:, 16:, None, None]
    first, second = block.first_norm, block.second_norm
    hidden = functional.silu(functional.group_norm(maps, 2, first.weight, first.bias))
    hidden = block.first_convolution(hidden)
    hidden = functional.group_norm(hidden, 4, second.weight, second.bias) * (1 + scale) + shift
    expected = block.shortcut(maps) + block.second_convolution(functional.silu(hidden))
    torch.testing.assert_close(block(maps, embedding), expected)


def test_attention_agrees_with_torch():
    torch.manual_seed(0)
    attention = awaken(SelfAttention(16, heads=4))
    reference = nn.MultiheadAttention(16, 4, batch_first=True)
    projection = attention.to_queries_keys_values
    reference.load_state_dict(
        {
            "in_proj_weight": projection.weight,
            "in_proj_bias": projection.bias,
            "out_proj.weight": attention.output.weight,
            "out_proj.bias": attention.output.bias,
        }
    )
    maps = torch.randn(2, 16, 3, 5)
    normalised = functional.group_norm(maps, 4, attention.norm.weight, attention.norm.bias)
    tokens = normalised.flatten(2).transpose(1, 2)
    mixed, _ = reference(tokens, tokens, tokens)
    expected = maps + mixed.transpose(1, 2).reshape(maps.shape)
    torch.testing.assert_close(attention(maps), expected)


def test_a_fresh_network_predicts_zero(batch):
    noised, timesteps, condition = batch
    network = UNet(**SMALL, condition_width=8)
    assert not network(noised, timesteps, condition).any()


def test_the_output_has_the_input_shape_and_every_parameter_learns(small, batch):
    noised, timesteps, condition = batch
    output = small(noised, timesteps, condition)
    assert output.shape == noised.shape
    output.square().sum().backward()
    untouched = [name for name, value in small.named_parameters() if not value.grad.any()]
    assert untouched == []


def test_time_and_condition_reach_the_output(small, batch):
    noised, timesteps, condition = batch
    output = small(noised, timesteps, condition)
    assert not torch.allclose(output, small(noised, timesteps + 100, condition), atol=1e-3)
    assert not torch.allclose(output, small(noised, timesteps, condition + 1), atol=1e-3)


def test_slices_of_a_batch_do_not_touch_each_other(small, batch):
    noised, timesteps, condition = batch
    alone = small(noised[:1], timesteps[:1], condition[:1])
    torch.testing.assert_close(small(noised, timesteps, condition)[:1], alone)


def test_the_memory_format_does_not_change_the_result(small, batch):
    noised, timesteps, condition = batch
    expected = small(noised, timesteps, condition)
    small.to(memory_format=torch.channels_last)
    output = small(noised.to(memory_format=torch.channels_last), timesteps, condition)
    torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-5)


def test_without_a_condition(batch):
    noised, timesteps, _ = batch
    network = awaken(UNet(**SMALL, condition_width=None))
    assert network(noised, timesteps).shape == noised.shape


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noised": torch.zeros(2, 16, 24)}, r"noised must be \[B, 1, H, W\]"),
        ({"noised": torch.zeros(2, 3, 16, 24)}, r"noised must be \[B, 1, H, W\]"),
        ({"noised": torch.zeros(2, 1, 16, 24, dtype=torch.uint8)}, "floating point"),
        ({"noised": torch.zeros(2, 1, 18, 24)}, "18x24 pixels do not divide by 4"),
        ({"timesteps": torch.tensor([1])}, "timesteps must be 2 integers"),
        ({"timesteps": torch.tensor([1.0, 2.0])}, "timesteps must be 2 integers"),
        ({"condition": None}, "built for a condition"),
        ({"condition": torch.zeros(2, 9)}, r"condition must be \(2, 8\)"),
    ],
)
def test_wrong_inputs_are_named(small, batch, change, message):
    inputs = dict(zip(("noised", "timesteps", "condition"), batch, strict=True)) | change
    with pytest.raises(ValueError, match=message):
        small(**inputs)


def test_a_condition_for_a_network_without_one_is_an_error(batch):
    with pytest.raises(ValueError, match="built for no condition"):
        UNet(**SMALL, condition_width=None)(*batch)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": 15}, "channels must be even"),
        ({"multipliers": ()}, "multipliers must be positive"),
        ({"residual_blocks": 0}, "residual_blocks must be at least 1"),
        ({"attention_heads": 3}, "32 channels do not divide into 3 heads"),
        ({"condition_width": 0}, "condition_width must be positive"),
    ],
)
def test_wrong_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        UNet(**({**SMALL, "condition_width": 8} | change))
