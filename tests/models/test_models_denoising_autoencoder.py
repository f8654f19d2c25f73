"""The DAE: its noise by scipy, its loss by hand, chance, learning, resuming."""

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
)
from scipy import ndimage

from brainuad.models import build_trainable

KIND = "denoising_autoencoder"
SETTINGS = {
    "network": {"channels": 8, "levels": 2},
    "noise": {"resolution": 4, "deviation": 0.2},
}
PAPER = {"network": {"channels": 64, "levels": 4}, "noise": {"resolution": 16, "deviation": 0.2}}


def echoing(answer=0.0, **noise):
    model = build(KIND, SETTINGS | {"noise": SETTINGS["noise"] | noise})
    model.network = Given(answer)
    return model


def test_parameter_count_at_the_size_of_the_reference():
    with torch.device("meta"):
        model = build_trainable(KIND, PAPER)
    assert sum(value.numel() for value in model.network.parameters()) == 7_701_825


def test_the_noise_is_a_coarse_grid_enlarged_by_scipy():
    model, images = echoing(), torch.full((2, 1, 16, 24), 0.5)
    model.training_loss(images, seeded(3), 0)
    added = (model.network.given[0] - images)[:, 0].numpy()

    generator = seeded(3)
    grid = 0.2 * torch.randn((2, 1, 4, 4), generator=generator)
    shifts = [int(torch.randint(length, (), generator=generator)) for length in (16, 24)]
    for field, points in zip(added, grid[:, 0].numpy(), strict=True):
        expected = ndimage.zoom(points, (16 / 4, 24 / 4), order=1, mode="nearest")
        np.testing.assert_allclose(
            np.roll(field, [-shift for shift in shifts], (0, 1)), expected, atol=1e-6
        )
    assert np.abs(added[0] - added[1]).max() > 0.1


def test_the_noise_has_the_deviation_of_the_settings():
    # A grid as fine as the slice: nothing is interpolated.
    model, images = echoing(resolution=32, deviation=0.3), torch.full((8, 1, 32, 32), 0.5)
    model.training_loss(images, seeded(0), 0)
    added = model.network.given[0] - images
    standard_error = 0.3 / np.sqrt(2 * added.numel())
    assert float(added.std()) == pytest.approx(0.3, abs=5 * standard_error)


def test_only_the_foreground_is_noised_judged_and_reconstructed():
    images = torch.zeros(2, 1, 16, 16)
    images[..., 4:8, 4:12] = 0.5
    images[..., 0, 0] = 0.009
    foreground = images > 0.1
    model = echoing(answer=0.8)
    loss = model.training_loss(images, seeded(0), 0)
    # 32 of 256 pixels are off by .3.
    assert float(loss) == pytest.approx(32 / 256 * 0.3**2, rel=1e-5)
    changed = model.network.given[0] != images
    assert torch.equal(changed, foreground)
    result = model.reconstruct(images, timesteps=[500], subject_seeds=None, slice_indices=None)
    assert torch.equal(result, torch.where(foreground, torch.tensor(0.8), images))


def test_a_scan_is_reconstructed_without_noise_and_cut_to_the_range():
    model, images = echoing(answer=1.2), batch()
    result = model.reconstruct(images, timesteps=[500], subject_seeds=None, slice_indices=None)
    assert torch.equal(model.network.given[0], images)
    assert result.max() == 1


def test_all_chance_comes_from_the_generator():
    model = build(KIND, SETTINGS)
    first, again, other = losses_of(model)
    assert first == again != other
    # Validation adds noise, too: it chooses what removes it best.
    assert float(model.validation_loss(batch(), seeded(1)).detach()) == first


def test_it_learns_the_discs_and_reconstructs_them(tmp_path):
    check_learning(build(KIND, SETTINGS), tmp_path)


def test_a_stopped_training_ends_bit_identical(tmp_path, capsys):
    check_resume(KIND, SETTINGS, tmp_path, capsys, stop=5)


@pytest.mark.parametrize(
    ("part", "changes", "message"),
    [
        ("noise", {"resolution": 0}, "noise.resolution: 0 does not fit, expected 1 or more"),
        ("noise", {"deviation": 0}, "noise.deviation: 0.0 does not fit, expected more than 0"),
        ("noise", {"sigma": 1}, "sigma: unknown key"),
        ("network", {"levels": 0}, "settings of denoising_autoencoder: levels must be positive"),
    ],
)
def test_wrong_settings_are_one_line(part, changes, message):
    check_refusal(KIND, SETTINGS | {part: SETTINGS[part] | changes}, message)
