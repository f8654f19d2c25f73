"""IterMask2: what its networks are given, threshold and masks by hand, learning, resuming."""

import numpy as np
import pytest
import torch
from model_promises import (
    Given,
    batch,
    build,
    check_learning,
    check_refusal,
    check_resume,
    losses_of,
    seeded,
    train_on_discs,
)

from brainuad.corruption.masks import random_masks
from brainuad.io.errors import SettingsError
from brainuad.models import build_trainable
from brainuad.models.itermask import exceeded_by, high_frequencies

KIND = "itermask"
SETTINGS = {
    "network": {"channels": 8, "levels": 2},
    "lowest_frequency": 0.1,
    "first_masked": 0.6,
    "next_masked": 0.2,
    "iterations": 4,
}


def with_answers(first, inpainting, **settings):
    model = build(KIND, SETTINGS | settings)
    model.network["first"], model.network["inpainting"] = Given(first), Given(inpainting)
    return model


def noisy(count=4, seed=0):
    """Discs with a different value in each pixel, so that no two errors are the same."""
    images = batch(count)
    noise = torch.rand(images.shape, generator=seeded(seed))
    return torch.where(images > 0, 0.1 + 0.9 * images * noise, 0)


def reconstruct(model, images):
    return model.reconstruct(images, timesteps=[1], subject_seeds=None, slice_indices=None)


def zeros(maps):
    return torch.zeros_like(maps[:, :1])


def test_parameter_count_at_the_size_of_the_config():
    with torch.device("meta"):
        model = build_trainable(KIND, SETTINGS | {"network": {"channels": 64, "levels": 4}})
    # Twice the DAE's, and 3x3 filters of the 64 channels for two more inputs.
    expected = 2 * 7_701_825 + 2 * 9 * 64
    assert sum(value.numel() for value in model.network.parameters()) == expected


@pytest.mark.parametrize("size", [(12, 16), (9, 15)])
def test_high_frequencies_by_numpy(size):
    images = np.random.default_rng(0).random((2, 1, *size))
    spectrum = np.fft.fft2(images)
    for row, column in np.ndindex(size):
        # Cycles over the whole slice, of either sign.
        cycles = [min(at, length - at) for at, length in zip((row, column), size, strict=True)]
        if np.hypot(cycles[0] / size[0], cycles[1] / size[1]) < 0.2:
            spectrum[..., row, column] = 0
    found = high_frequencies(torch.from_numpy(images).float(), 0.2)
    np.testing.assert_allclose(found, np.fft.ifft2(spectrum).real, atol=1e-6)


def test_what_a_part_of_the_values_exceeds():
    values = torch.tensor([[3.0, 9.0, 1.0, 8.0, 5.0], [2.0, 2.0, 2.0, 2.0, 2.0]])
    inside = torch.tensor([[True, False, True, True, True], [False] * 5])
    # Of 1, 3, 5, 8 two exceed 3.
    assert exceeded_by(0.5, values, inside).tolist() == [3.0, -1.0]
    assert exceeded_by(0.74, values, inside).tolist() == [3.0, -1.0]
    assert exceeded_by(0.1, values, inside).tolist() == [8.0, -1.0]


def test_what_the_networks_are_given_in_training_and_the_loss():
    model = with_answers(lambda maps: zeros(maps) + 0.3, lambda maps: zeros(maps) + 0.6)
    images = noisy()
    loss = model.training_loss(images, seeded(3), 0)
    masks = random_masks(images > 0.01, seeded(3))
    details = high_frequencies(images, 0.1)
    assert torch.equal(model.network["first"].given[0], details)
    given = torch.cat([torch.where(masks, 0, images), masks.float(), details], dim=1)
    assert torch.equal(model.network["inpainting"].given[0], given)
    assert 0.02 < masks.float().mean() < 0.5
    inpainting_errors = ((images - 0.6) * masks).square()
    expected = (images - 0.3).square().mean() + inpainting_errors.mean()
    torch.testing.assert_close(loss, expected)


def test_the_threshold_is_the_mean_of_the_batches_by_their_masked_pixels():
    model = with_answers(zeros, zeros)
    thresholds, counts = [], []
    for seed in (1, 2):
        images = noisy(seed=seed)
        model.validation_loss(images, seeded(seed))
        errors = sorted(images[random_masks(images > 0.01, seeded(seed))].tolist())
        # One in five is greater.
        thresholds.append(errors[-1 - len(errors) // 5])
        counts.append(len(errors))
    # Empty slices count for nothing.
    model.validation_loss(torch.zeros_like(images), seeded(3))
    expected = np.average(thresholds, weights=counts)
    assert float(model.network.threshold) == pytest.approx(expected)
    assert counts[0] != counts[1] and abs(thresholds[0] - thresholds[1]) > 1e-4


def test_each_validation_sets_the_threshold_anew():
    model = with_answers(zeros, zeros)
    images = noisy()
    model.validation_loss(images, seeded(1))
    before = float(model.network.threshold)
    model.training_loss(images, seeded(0), 0)
    assert float(model.network.threshold) == before
    model.validation_loss(images / 2, seeded(1))
    assert float(model.network.threshold) == pytest.approx(before / 2)


def test_a_validation_that_is_redrawn_is_refused(tmp_path):
    redrawn = {"every_epochs": 1, "slices_per_volume": 1, "redrawn": True}
    with pytest.raises(SettingsError, match=r"set training\.validation\.redrawn to false"):
        train_on_discs(build(KIND, SETTINGS), tmp_path, validation=redrawn)


def masks_of(model, images):
    """The masks of a reconstruction, as the inpainting network was given them."""
    details = high_frequencies(images, 0.1)
    masks = []
    for given in model.network["inpainting"].given:
        masks.append(given[:, 1:2] > 0)
        visible = torch.where(masks[-1], 0, images)
        assert torch.equal(given, torch.cat([visible, masks[-1].float(), details], dim=1))
    return masks


def test_the_first_mask_has_the_pixels_of_the_brain_with_the_greatest_errors():
    model = with_answers(lambda maps: zeros(maps) + 5, zeros, iterations=1)
    images = noisy()
    # A network that errs most where nothing is.
    reconstruct(model, images)
    (masks,) = masks_of(model, images)
    for mask, image in zip(masks, images, strict=True):
        brain = image > 0.01
        count = int(0.6 * int(brain.sum()))
        least = image[brain].sort().values[:count]
        assert torch.equal(image[mask].sort().values, least)


def test_a_mask_keeps_what_is_above_the_threshold_and_only_shrinks():
    # Each answer is nearer to the image than the one before.
    images, answers = noisy(), iter((0.0, 0.3, 0.6, 0.9))
    model = with_answers(zeros, lambda maps: images * next(answers), first_masked=0.9)
    model.network.threshold.fill_(0.25)
    result = reconstruct(model, images)
    masks = masks_of(model, images)
    assert len(masks) == 4
    for part, before, after in zip((0.0, 0.3, 0.6), masks[:-1], masks[1:], strict=True):
        assert torch.equal(after, before & ((images * part - images).abs() > 0.25))
    counts = [int(mask.sum()) for mask in masks]
    assert counts[0] > counts[1] > counts[2] > counts[3] > 0
    # The last answer, and what was shown.
    torch.testing.assert_close(result, torch.where(masks[-1], images * 0.9, images))


def test_a_pixel_that_is_shown_is_not_masked_again():
    images, answers = noisy(), iter((1.0, 0.0, 0.0))
    model = with_answers(zeros, lambda maps: images * next(answers), iterations=3)
    model.network.threshold.fill_(0.05)
    reconstruct(model, images)
    assert [bool(mask.any()) for mask in masks_of(model, images)] == [True, False, False]


def test_a_slice_without_a_brain_is_reconstructed_without_a_mask():
    model = with_answers(zeros, lambda maps: zeros(maps) + 1.2)
    images = torch.zeros(4, 1, 32, 32)
    assert torch.equal(reconstruct(model, images), images)
    assert not any(mask.any() for mask in masks_of(model, images))


def test_all_chance_comes_from_the_generator():
    first, again, other = losses_of(build(KIND, SETTINGS))
    assert first == again != other


def test_it_learns_the_discs_and_reconstructs_them(tmp_path):
    model = build(KIND, SETTINGS)
    check_learning(model, tmp_path)
    assert model.network.threshold > 0


def test_a_stopped_training_ends_bit_identical(tmp_path, capsys):
    check_resume(KIND, SETTINGS, tmp_path, capsys, stop=5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"iterations": 0}, "iterations: 0 does not fit, expected 1 or more"),
        ({"next_masked": 1}, "next_masked: 1.0 does not fit, expected less than 1"),
        ({"lowest_frequency": 15}, "lowest_frequency: 15.0 does not fit, expected less than 0.5"),
        ({"network": {"channels": 8, "levels": 0}}, "settings of itermask: levels must be"),
        ({"radius": 15}, "radius: unknown key"),
    ],
)
def test_wrong_settings_are_one_line(changes, message):
    check_refusal(KIND, SETTINGS | changes, message)
