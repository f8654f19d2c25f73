"""Generator, critic and encoder: sizes counted by hand, norms, and halving and doubling blocks."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from brainuad.networks.adversarial import DoublingBlock, Generator, Halvings, layer_norm

SMALL = {"size": (16, 24), "channels": (4, 8, 8)}
PAPER = {"size": (96, 96), "channels": (64, 128, 256, 512, 512)}


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def halvings(outputs=1, norm=layer_norm):
    torch.manual_seed(0)
    return Halvings(**SMALL, outputs=outputs, norm=norm)


def test_parameter_counts_at_the_size_of_the_paper():
    with torch.device("meta"):
        critic = Halvings(**PAPER, outputs=1, norm=layer_norm)
        encoder = Halvings(**PAPER, outputs=128, norm=nn.BatchNorm2d)
        generator = Generator(**PAPER, latent=128)

    def block(in_channels, out_channels, hidden):
        first, second = 9 * in_channels * hidden, (9 * hidden + 1) * out_channels
        norms, shortcut = 2 * in_channels + 2 * hidden, (in_channels + 1) * out_channels
        return first + second + norms + shortcut

    steps = ((64, 128), (128, 256), (256, 512), (512, 512))
    features = 512 * 6 * 6
    trunk = 10 * 64 + sum(block(*step, hidden=step[0]) for step in steps)
    assert count(critic) == trunk + features + 1 == 7_500_929
    assert count(encoder) == trunk + (features + 1) * 128 == 9_841_920
    blocks = sum(block(step[1], step[0], hidden=step[0]) for step in steps)
    ends = (128 + 1) * features + 2 * 64 + 9 * 64 + 1
    assert count(generator) == blocks + ends == 9_860_289


def test_shapes():
    scores, features = halvings(outputs=3)(torch.rand(2, 1, 16, 24))
    assert scores.shape == (2, 3)
    # Two halvings of 16x24, with 8 channels.
    assert features.shape == (2, 8 * 4 * 6)
    slices = Generator(**SMALL, latent=5)(torch.randn(2, 5))
    assert slices.shape == (2, 1, 16, 24)
    assert slices.abs().max() <= 1


def test_the_score_is_a_linear_map_of_the_features():
    critic = halvings()
    scores, features = critic(torch.rand(2, 1, 16, 24))
    expected = features @ critic.output.weight.T + critic.output.bias
    torch.testing.assert_close(scores, expected)


def test_the_critic_judges_each_slice_by_itself():
    critic = halvings().train()
    images = torch.rand(3, 1, 16, 24)
    torch.testing.assert_close(critic(images)[0][:1], critic(images[:1])[0])
    # The encoder's batch norms would not do for that.
    encoder = halvings(norm=nn.BatchNorm2d).train()
    assert not torch.allclose(encoder(images)[0][:1], encoder(images[:1])[0], atol=1e-3)


def test_layer_norm_is_over_all_channels_and_positions_of_a_slice():
    maps = 3 + 2 * torch.randn(2, 4, 5, 6)
    expected = functional.layer_norm(maps, (4, 5, 6))
    torch.testing.assert_close(layer_norm(4)(maps), expected)


def test_a_doubling_block_is_the_reference_in_its_own_order():
    torch.manual_seed(0)
    block = DoublingBlock(3, 5, nn.BatchNorm2d).eval()
    maps = torch.randn(2, 3, 4, 4)
    repeated = maps.repeat_interleave(2, 2).repeat_interleave(2, 3)
    hidden = functional.relu(block.first_norm(repeated))
    hidden = functional.relu(block.second_norm(block.first_convolution(hidden)))
    # There the shortcut repeats pixels first.
    expected = block.shortcut(repeated) + block.second_convolution(hidden)
    torch.testing.assert_close(block(maps), expected)


def test_every_parameter_learns():
    generator, critic = Generator(**SMALL, latent=5), halvings()
    critic(generator(torch.randn(4, 5)))[0].sum().backward()
    for network in (generator, critic):
        assert [name for name, value in network.named_parameters() if value.grad is None] == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": (4,)}, "two or more positive numbers"),
        ({"channels": (4, 0)}, "two or more positive numbers"),
        ({"size": (18, 24)}, r"divide by 4.* 2 blocks halves them, got \(18, 24\)"),
        ({"latent": 0}, "latent must be positive"),
    ],
)
def test_wrong_settings_are_named(changes, message):
    settings = SMALL | {"latent": 5} | changes
    with pytest.raises(ValueError, match=message):
        Generator(**settings)
    outputs = settings.pop("latent")
    with pytest.raises(ValueError, match=message):
        Halvings(**settings, outputs=outputs, norm=layer_norm)


def test_slices_of_another_size_are_named():
    with pytest.raises(ValueError, match=r"\[B, 1, 16, 24\], got \(2, 1, 24, 24\)"):
        halvings()(torch.rand(2, 1, 24, 24))
