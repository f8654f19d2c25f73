"""Ellipses, synthetic anomalies and random masks, pixel by pixel from the same random numbers."""

import math

import numpy as np
import pytest
import torch

from brainuad.corruption.anomalies import HALF_AXES, with_anomalies
from brainuad.corruption.ellipses import random_ellipses
from brainuad.corruption.masks import DEVIATIONS, random_masks

SIZE = (20, 28)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def slices(count=4):
    """Noise in [0.1, 0.9] inside discs of several sizes, 0 outside them."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    images = np.zeros((count, 1, *SIZE), np.float32)
    for number, image in enumerate(images[:, 0]):
        disc = np.hypot(rows - 9, columns - 13 - number) < 5 + number
        image[disc] = np.random.default_rng(number).uniform(0.1, 0.9, disc.sum())
    return torch.from_numpy(images)


def ellipse(brain, half_axes, drawn):
    """Distances [H, W] of one slice, from a brain [H, W] and four numbers of [0, 1)."""
    place, first, second, turn = drawn
    pixels = np.argwhere(brain)
    row, column = pixels[int(place * len(pixels))]
    shortest, longest = (max(SIZE) * half_axis for half_axis in half_axes)
    axes = [math.exp((1 - s) * math.log(shortest) + s * math.log(longest)) for s in (first, second)]
    direction = np.array([math.sin(math.pi * turn), math.cos(math.pi * turn)])
    distances = np.empty(SIZE)
    for pixel in np.ndindex(SIZE):
        offset = np.array(pixel) - (row, column)
        along = offset @ direction
        across = offset[0] * direction[1] - offset[1] * direction[0]
        distances[pixel] = math.hypot(along / axes[0], across / axes[1])
    return distances


def test_ellipses_by_hand():
    brains = slices() > 0
    found = random_ellipses(brains, (0.1, 0.4), seeded(1))
    drawn = torch.rand((4, 4, 1), generator=seeded(1))[..., 0].numpy().astype(float)
    for distances, brain, numbers in zip(found[:, 0], brains[:, 0].numpy(), drawn.T, strict=True):
        expected = ellipse(brain, (0.1, 0.4), numbers)
        np.testing.assert_allclose(distances, expected, rtol=1e-4, atol=1e-5)
        assert brain[np.unravel_index(distances.argmin(), SIZE)]


def test_each_pixel_of_the_brain_is_a_centre_as_often_as_any_other():
    brain = torch.zeros(1, 1, 4, 5, dtype=torch.bool)
    brain[0, 0, [0, 1, 3], [1, 4, 4]] = True
    distances = random_ellipses(brain.expand(3000, -1, -1, -1), (0.1, 0.2), seeded(0))
    counts = distances.flatten(1).argmin(1).bincount(minlength=20)
    assert counts.nonzero().flatten().tolist() == [1, 9, 19]
    # Five standard errors.
    assert (counts[counts > 0] - 1000).abs().max() < 5 * math.sqrt(3000 * 2 / 9)


def test_anomalies_by_hand():
    images = slices()
    found = with_anomalies(images, seeded(2))[:, 0].numpy()
    generator = seeded(2)
    ellipses = torch.rand((4, 4, 1), generator=generator)[..., 0].numpy().astype(float)
    softness, offsets = torch.rand((2, 4, 1, 1, 1), generator=generator).flatten(1).numpy()
    shifts = [torch.randint(length, (4, 1), generator=generator)[:, 0].tolist() for length in SIZE]
    changed = 0
    for number, image in enumerate(images[:, 0].numpy().astype(float)):
        distances = ellipse(image > 0, HALF_AXES, ellipses[:, number])
        shares = np.clip((1 - distances) / softness[number], 0, 1)
        inside = (image > 0) & (shares > 0)
        texture = np.empty(SIZE)
        for row, column in np.ndindex(SIZE):
            place = (row + shifts[0][number]) % SIZE[0], (column + shifts[1][number]) % SIZE[1]
            texture[row, column] = images[number - 1, 0][place]
        low, high = texture[inside].min(), texture[inside].max()
        scaled = (texture - low) / max(high - low, 1e-3) * np.ptp(image[inside]) + image[
            inside
        ].min()
        anomaly = np.clip(scaled + 2 * offsets[number] - 1, 0, 1)
        expected = np.where(inside, image + shares * (anomaly - image), image)
        np.testing.assert_allclose(found[number], expected, atol=1e-5)
        changed += (np.abs(expected - image) > 0.05).sum()
    assert changed > 20


def test_only_the_foreground_has_anomalies_and_most_of_it_is_as_it_was():
    images = slices(1).expand(500, -1, -1, -1)
    changed = with_anomalies(images, seeded(0)) != images
    assert not changed[images == 0].any()
    shares = changed.flatten(1).sum(1) / (images[0] > 0).sum()
    assert 0.02 < float(shares.median()) < 0.5
    # Anomalies are anywhere in the brain.
    assert torch.equal(changed.any(dim=0), images[0] > 0)


def test_slices_without_a_foreground_stay_as_they_are():
    images = torch.full((3, 1, *SIZE), 0.005)
    assert torch.equal(with_anomalies(images, seeded(0)), images)
    assert not random_masks(images > 0.01, seeded(0)).any()


def test_masks_by_hand():
    brains = slices() > 0
    found = random_masks(brains, seeded(3))[:, 0].numpy()
    generator = seeded(3)
    drawn = torch.rand((4, 4, 1), generator=generator)[..., 0].numpy().astype(float)
    strengths = torch.rand((4, 1, 1, 1), generator=generator).flatten().tolist()
    grids = {
        edge: torch.rand(
            (4, 1, math.ceil(SIZE[0] / edge), math.ceil(SIZE[1] / edge)), generator=generator
        )[:, 0].numpy()
        for edge in (1, 2, 4)
    }
    for number, brain in enumerate(brains[:, 0].numpy()):
        distances = ellipse(brain, DEVIATIONS, drawn[:, number])
        for row, column in np.ndindex(SIZE):
            layers = strengths[number] * 4 / 3 * math.exp(-(distances[row, column] ** 2) / 2)
            hit = any(
                grid[number, row // edge, column // edge] < 1 - math.exp(-layers)
                for edge, grid in grids.items()
            )
            assert found[number, row, column] == (hit and brain[row, column])
    assert 0.05 < found[brains[:, 0].numpy()].mean() < 0.95


@pytest.mark.parametrize("corrupt", [with_anomalies, lambda images, g: random_masks(images > 0, g)])
def test_all_chance_comes_from_the_generator(corrupt):
    images = slices()
    first, again, other = (corrupt(images, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
