"""AE, VAE and SVAE: losses worked out by hand, chance, learning, resuming."""

import math

import pytest
import torch
from model_promises import (
    batch,
    build,
    check_learning,
    check_refusal,
    check_resume,
    losses_of,
    seeded,
)
from torch.distributions import Normal, kl_divergence

from brainuad.io.errors import SettingsError
from brainuad.models import build_trainable

KIND = "autoencoder"
AE = {"size": [32, 32], "channels": [8, 16, 16], "latent": 16, "spatial": False, "kl_weight": None}
VAE = AE | {"kl_weight": 0.001}
SVAE = VAE | {"spatial": True, "latent": 4}
KINDS = pytest.mark.parametrize("settings", [AE, VAE, SVAE], ids=["ae", "vae", "svae"])
PAPER = AE | {"size": [96, 96], "channels": [32, 64, 128, 128], "latent": 128}


class GivenLatents(torch.nn.Module):
    """An autoencoder whose latents are what a test says; slices are all as dark as they can be."""

    def __init__(self, mean, deviation):
        super().__init__()
        self.mean, self.deviation = mean, deviation
        self.decoded = []

    def encode(self, images):
        shape = (len(images), 500)
        log_variance = 2 * math.log(self.deviation)
        return torch.full(shape, self.mean), torch.full(shape, log_variance)

    def decode(self, latents):
        self.decoded.append(latents)
        return torch.zeros(len(latents), 1, 32, 32)


@pytest.mark.parametrize(
    ("changes", "parameters"),
    [
        ({}, 1_512_113),
        ({"kl_weight": 0.001}, 1_585_969),
        ({"kl_weight": 0.001, "spatial": True, "latent": 4}, 1_361_385),
    ],
)
def test_parameter_counts_at_the_size_of_the_paper(changes, parameters):
    with torch.device("meta"):
        model = build_trainable(KIND, PAPER | changes)
    assert sum(value.numel() for value in model.network.parameters()) == parameters


def test_the_loss_of_a_plain_autoencoder_is_the_mean_absolute_error():
    model, images = build(KIND, AE), batch()
    expected = (images - model.network(images)).abs().mean()
    torch.testing.assert_close(model.training_loss(images, seeded(0), 0), expected)
    torch.testing.assert_close(model.validation_loss(images, seeded(0)), expected)


def test_the_loss_of_a_variational_one_by_torchs_own_divergence():
    model = build(KIND, VAE | {"kl_weight": 0.3})
    model.network = GivenLatents(mean=0.5, deviation=2.0)
    images = torch.full((3, 1, 32, 32), 0.25)
    divergence = kl_divergence(Normal(0.5, 2.0), Normal(0.0, 1.0))
    expected = 0.25 + 0.3 * float(divergence)
    assert float(model.training_loss(images, seeded(0), 0)) == pytest.approx(expected, rel=1e-5)
    assert float(model.validation_loss(images, seeded(0))) == pytest.approx(expected, rel=1e-5)


def test_latents_are_drawn_in_training_alone():
    model = build(KIND, VAE)
    model.network = GivenLatents(mean=0.5, deviation=2.0)
    images = batch(8)
    model.training_loss(images, seeded(0), 0)
    model.validation_loss(images, seeded(0))
    model.reconstruct(images, timesteps=[500], subject_seeds=None, slice_indices=None)
    drawn, *means = model.network.decoded
    # 4000 numbers: mean and deviation to within five standard errors.
    assert float(drawn.mean()) == pytest.approx(0.5, abs=5 * 2 / math.sqrt(4000))
    assert float(drawn.std()) == pytest.approx(2, abs=5 * 2 / math.sqrt(2 * 4000))
    assert all(torch.equal(latents, torch.full((8, 500), 0.5)) for latents in means)


@pytest.mark.parametrize("settings", [VAE, SVAE], ids=["vae", "svae"])
def test_all_chance_comes_from_the_generator(settings):
    first, again, other = losses_of(build(KIND, settings))
    assert first == again != other


def test_a_plain_autoencoder_has_no_chance():
    assert len(set(losses_of(build(KIND, AE)))) == 1


@KINDS
def test_it_learns_the_discs_and_reconstructs_them(settings, tmp_path):
    check_learning(build(KIND, settings), tmp_path)


@KINDS
def test_a_stopped_training_ends_bit_identical(settings, tmp_path, capsys):
    check_resume(KIND, settings, tmp_path, capsys, stop=5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kl_weight": 0}, "kl_weight: 0.0 does not fit, expected more than 0"),
        ({"kl_weight": "small"}, "kl_weight: expected a number"),
        ({"size": [30, 32]}, "settings of autoencoder: size must be rows and columns that divide"),
        ({"latent": 0}, "settings of autoencoder: latent must be positive"),
        ({"colour": 1}, "colour: unknown key"),
    ],
)
def test_wrong_settings_are_one_line(changes, message):
    check_refusal(KIND, VAE | changes, message)


def test_slices_of_another_size_are_one_line():
    with pytest.raises(SettingsError, match=r"size is \[32, 32\], but the slices have \[48, 48\]"):
        build(KIND, AE).training_loss(batch(size=48), seeded(0), 0)
