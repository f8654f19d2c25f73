"""The autoencoder's sizes counted by hand, and what each part of it is given."""

import pytest
import torch

from brainuad.networks.convolutional import ConvolutionalAutoencoder

SMALL = {"size": (16, 24), "channels": (8, 16), "latent": 5}
PAPER = {"size": (96, 96), "channels": (32, 64, 128, 128), "latent": 128}


def build(**changes):
    torch.manual_seed(0)
    return ConvolutionalAutoencoder(
        **({**SMALL, "spatial": False, "variational": False} | changes)
    ).eval()


def convolution(in_channels, out_channels, edge):
    return (in_channels * edge**2 + 1) * out_channels


def count_of_paper(*, heads, dense):
    """Parameters at the paper's size: stages of 5x5 convolutions, each with a batch norm."""
    down, up = (
        ((1, 32), (32, 64), (64, 128), (128, 128)),
        ((128, 128), (128, 64), (64, 32), (32, 32)),
    )
    stages = sum(convolution(*step, 5) + 2 * step[1] for step in (*down, *up))
    first_norm_and_output = 2 * 128 + convolution(32, 1, 1)
    if dense:
        # Four halvings of 96 leave 6x6; a 1x1 convolution leaves an eighth of the channels.
        entries = 16 * 6 * 6
        bottleneck = convolution(128, 16, 1) + convolution(16, 128, 1)
        bottleneck += heads * (entries + 1) * 128 + 129 * entries
    else:
        bottleneck = heads * convolution(128, 4, 1) + convolution(4, 128, 1)
    return stages + first_norm_and_output + bottleneck


@pytest.mark.parametrize(
    ("changes", "expected", "pinned"),
    [
        ({"spatial": False, "variational": False}, {"heads": 1, "dense": True}, 1_512_113),
        ({"spatial": False, "variational": True}, {"heads": 2, "dense": True}, 1_585_969),
        (
            {"spatial": True, "variational": True, "latent": 4},
            {"heads": 2, "dense": False},
            1_361_385,
        ),
    ],
    ids=["ae", "vae", "svae"],
)
def test_parameter_counts_at_the_size_of_the_paper(changes, expected, pinned):
    with torch.device("meta"):
        network = ConvolutionalAutoencoder(**(PAPER | changes))
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == count_of_paper(**expected) == pinned


@pytest.mark.parametrize(("spatial", "shape"), [(False, (2, 5)), (True, (2, 5, 4, 6))])
def test_latents_and_slices_have_the_promised_shapes(spatial, shape):
    network = build(spatial=spatial, variational=True)
    means, log_variances = network.encode(torch.rand(2, 1, 16, 24))
    assert means.shape == log_variances.shape == shape
    assert not torch.equal(means, log_variances)
    assert network.decode(means).shape == (2, 1, 16, 24)
    assert build(spatial=spatial).encode(torch.rand(2, 1, 16, 24))[1] is None


@pytest.mark.parametrize("spatial", [False, True])
def test_everything_that_is_known_of_a_slice_passes_through_its_latent(spatial):
    network = build(spatial=spatial)
    images = torch.rand(3, 1, 16, 24)
    torch.testing.assert_close(network(images), network.decode(network.encode(images)[0]))
    # Slices of one latent are one slice.
    same = network.decode(network.encode(images[:1])[0].expand(3, *[-1] * (3 if spatial else 1)))
    torch.testing.assert_close(same[1], same[0])


@pytest.mark.parametrize("spatial", [False, True])
def test_every_parameter_learns(spatial):
    network = build(spatial=spatial, variational=True).train()
    means, log_variances = network.encode(torch.rand(4, 1, 16, 24))
    (network.decode(means + log_variances).square().sum()).backward()
    # Some gradients are 0: a batch norm takes away what the bias before it adds.
    untouched = [name for name, value in network.named_parameters() if value.grad is None]
    assert untouched == []


def test_slices_of_a_batch_do_not_touch_each_other():
    network = build()
    images = torch.rand(4, 1, 16, 24)
    torch.testing.assert_close(network(images)[:1], network(images[:1]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": ()}, "channels must be positive"),
        ({"channels": (8, 0)}, "channels must be positive"),
        ({"latent": 0}, "latent must be positive"),
        ({"size": (16, 18)}, r"divide by 4.* 2 stages halves them, got \(16, 18\)"),
        ({"size": (16,)}, "rows and columns"),
    ],
)
def test_wrong_settings_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        build(**changes)


def test_slices_of_another_size_are_named():
    with pytest.raises(ValueError, match=r"\[B, 1, 16, 24\], got \(2, 1, 24, 24\)"):
        build().encode(torch.rand(2, 1, 24, 24))
