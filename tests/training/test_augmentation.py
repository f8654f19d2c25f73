"""Each transform against scipy or numpy, and what chance picks."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from brainuad.config.models import (
    AugmentationSettings,
    BiasFieldSettings,
    BlurSettings,
    GammaSettings,
    GhostingSettings,
)
from brainuad.config.settings import settings_from
from brainuad.io.errors import SettingsError
from brainuad.training.augmentation import augment, bias_field, blur, gamma, ghosting


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def slices(count=6, height=40, width=48):
    noise = np.random.default_rng(0).random((count, 1, height, width))
    smooth = ndimage.gaussian_filter(noise, (0, 0, 2, 2))
    low, high = smooth.min(), smooth.max()
    return torch.from_numpy((smooth - low) / (high - low)).float()


def test_blur_equals_scipy():
    images = slices()
    settings = BlurSettings(probability=1.0, deviation=(1.5, 1.5))
    expected = ndimage.gaussian_filter(images.numpy(), (0, 0, 1.5, 1.5), mode="nearest")
    np.testing.assert_allclose(blur(images, settings, generator()), expected, atol=2e-5)


def test_a_blur_without_width_changes_nothing():
    images = slices()
    settings = BlurSettings(probability=1.0, deviation=(0.0, 0.0))
    torch.testing.assert_close(blur(images, settings, generator()), images)


def test_gamma_is_one_power_per_slice_within_the_range():
    images = slices(200, 16, 16).clamp(min=0.05, max=0.95)
    changed = gamma(images, GammaSettings(probability=1.0, log_gamma=0.3), generator())
    powers = (changed.log() / images.log()).flatten(1)
    torch.testing.assert_close(powers, powers[:, :1].expand_as(powers), rtol=2e-3, atol=0)
    exponents = powers.mean(1).log()
    assert exponents.abs().max() <= 0.301
    assert exponents.max() > 0.25 and exponents.min() < -0.25


def test_gamma_keeps_the_sign_of_a_negative_intensity():
    """As torchio: sign(x) |x|^gamma."""
    images = torch.tensor([-0.25, 0.25, 0.0, 1.0]).reshape(1, 1, 2, 2)
    below, above, zero, one = gamma(
        images, GammaSettings(probability=1.0, log_gamma=0.3), generator()
    ).flatten()
    assert below == -above
    assert 0.25 ** np.exp(0.3) < above < 0.25 ** np.exp(-0.3)
    assert zero == 0 and one == 1


def test_bias_field_is_a_cubic_polynomial_in_the_exponent():
    images = slices(30) + 0.1
    settings = BiasFieldSettings(probability=1.0, order=3, coefficients=0.5)
    fields = (bias_field(images, settings, generator()) / images).log().numpy().reshape(30, -1)
    rows, columns = np.meshgrid(np.linspace(-1, 1, 40), np.linspace(-1, 1, 48), indexing="ij")
    powers = [(i, j) for i in range(4) for j in range(4) if i + j <= 3]
    terms = np.stack([(rows**i * columns**j).ravel() for i, j in powers])
    coefficients, *_ = np.linalg.lstsq(terms.T, fields.T, rcond=None)
    np.testing.assert_allclose(terms.T @ coefficients, fields.T, atol=1e-4)
    assert np.abs(coefficients).max() <= 0.501
    assert np.abs(coefficients).max() > 0.45


@pytest.mark.parametrize("ghosts", [4, 5, 7])
def test_ghosting_weakens_every_nth_line_of_the_shifted_spectrum(ghosts):
    images = slices(8, 96, 96)
    settings = GhostingSettings(
        probability=1.0, ghosts=(ghosts, ghosts), intensity=(0.8, 0.8), restore=0.02
    )
    changed = ghosting(images, settings, generator()).numpy()[:, 0]
    expected = {}
    for axis in (0, 1):
        spectrum = np.fft.fftshift(np.fft.fft2(images.numpy()[:, 0]), axes=(1, 2))
        lines = [slice(None)] * 3
        lines[axis + 1] = slice(None, None, ghosts)
        centre = [slice(None)] * 3
        centre[axis + 1] = slice(47, 49)
        kept = spectrum[tuple(centre)].copy()
        spectrum[tuple(lines)] *= 1 - 0.8
        spectrum[tuple(centre)] = kept
        expected[axis] = np.fft.ifft2(np.fft.ifftshift(spectrum, axes=(1, 2))).real
    along = [
        next(a for a in (0, 1) if np.allclose(changed[number], expected[a][number], atol=1e-5))
        for number in range(8)
    ]
    assert set(along) == {0, 1}


@pytest.mark.parametrize("size", [48, 96])
def test_ghosting_keeps_the_mean(size):
    images = slices(20, size, size)
    settings = GhostingSettings(probability=1.0, ghosts=(4, 10), intensity=(1.0, 1.0), restore=0.02)
    changed = ghosting(images, settings, generator())
    torch.testing.assert_close(changed.mean((1, 2, 3)), images.mean((1, 2, 3)), atol=1e-5, rtol=0)
    assert (changed - images).abs().flatten(1).max(1).values.min() > 1e-3


OFF = {"blur": None, "bias_field": None, "gamma": None, "ghosting": None}


def test_what_is_switched_off_changes_nothing():
    images = slices()
    assert torch.equal(augment(images, AugmentationSettings(**OFF), generator()), images)


def test_probability_is_the_share_of_changed_slices():
    images = slices(2000, 8, 8)
    settings = AugmentationSettings(**OFF | {"gamma": GammaSettings(0.25, 0.3)})
    changed = (augment(images, settings, generator()) != images).flatten(1).any(1)
    # Binomial: 500 with a standard deviation of 19.
    assert abs(int(changed.sum()) - 500) < 5 * 19


def test_all_transforms_together_repeat_with_the_generator_and_leave_the_input_alone():
    images = slices(32)
    before = images.clone()
    settings = AugmentationSettings(
        blur=BlurSettings(0.25, (0.0, 2.0)),
        bias_field=BiasFieldSettings(0.25, 3, 0.5),
        gamma=GammaSettings(0.5, 0.3),
        ghosting=GhostingSettings(0.5, (4, 10), (0.5, 1.0), 0.02),
    )
    first = augment(images, settings, generator(3))
    assert torch.equal(images, before)
    assert torch.isfinite(first).all()
    assert torch.equal(first, augment(images, settings, generator(3)))
    assert not torch.equal(first, augment(images, settings, generator(4)))


def test_the_order_is_that_of_the_released_code():
    images = slices()
    settings = AugmentationSettings(
        blur=BlurSettings(1.0, (0.5, 1.0)),
        bias_field=BiasFieldSettings(1.0, 3, 0.5),
        gamma=GammaSettings(1.0, 0.3),
        ghosting=GhostingSettings(1.0, (4, 10), (0.5, 1.0), 0.02),
    )
    chance, expected = generator(5), images
    for transform in (gamma, bias_field, blur, ghosting):
        torch.rand(len(images), generator=chance)
        expected = transform(expected, getattr(settings, transform.__name__), chance)
    assert torch.equal(augment(images, settings, generator(5)), expected)


def test_an_impossible_probability_is_refused():
    values = OFF | {"gamma": {"probability": 1.5, "log_gamma": 0.3}}
    with pytest.raises(SettingsError, match=r"gamma\.probability: 1\.5 does not fit"):
        settings_from(AugmentationSettings, values)
