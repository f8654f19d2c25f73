"""pDDPM: what the network sees, where the loss is, how patches are put together, resuming."""

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
    train_on_discs,
)
from torch import nn

from brainuad.config.kinds.diffusion import NoiseSettings
from brainuad.diffusion.noise import SimplexNoise, permutation_tables
from brainuad.io.errors import SettingsError
from brainuad.io.seeds import mix_seeds, subject_seeds
from brainuad.models import build_trainable

KIND = "patched_diffusion"
SETTINGS = {
    "network": {"channels": 8, "multipliers": [1, 2], "residual_blocks": 1, "attention_heads": 2},
    "noise": {"octaves": 3, "persistence": 0.8, "wavelength": 16.0, "shared": False},
    "schedule": {"timesteps": 1000, "offset": 0.008, "largest_beta": 0.999},
    "grid": [2, 2],
}
PAPER = SETTINGS | {
    "network": {
        "channels": 128,
        "multipliers": [1, 2, 2],
        "residual_blocks": 3,
        "attention_heads": 4,
    },
}


class Given(nn.Module):
    """A network that answers with what a test says, and keeps what it is given."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer
        self.given, self.timesteps = [], []

    def forward(self, noised, timesteps):
        self.given.append(noised)
        self.timesteps.append(timesteps)
        return self.answer(noised)


def answering(answer, **changes):
    model = build(KIND, SETTINGS | changes)
    model.network["unet"] = Given(answer)
    return model


def patch_of(rows, columns, number, size=32):
    """Rows and columns of a patch, counted by hand, row by row."""
    height, width = size // rows, size // columns
    row, column = divmod(number, columns)
    return (
        slice(row * height, (row + 1) * height),
        slice(column * width, (column + 1) * width),
    )


def reconstruct(model, images, timesteps):
    return model.reconstruct(
        images,
        timesteps=timesteps,
        subject_seeds=subject_seeds(3, ["a"]).expand(len(images)),
        slice_indices=torch.arange(len(images)),
    )


def test_parameter_count_is_that_of_the_plain_ddpm():
    with torch.device("meta"):
        model = build_trainable(KIND, PAPER)
    assert sum(value.numel() for value in model.network.parameters()) == 37_513_857


def test_the_network_sees_the_slice_as_it_is_but_for_one_patch():
    model = answering(torch.zeros_like)
    images = batch(2)
    model.validation_loss(images, seeded(9))
    # Even timesteps over a batch of two, and its patches in turn.
    assert model.network["unet"].timesteps[0].tolist() == [250, 750]
    keys = torch.randint(0, 2**63 - 1, (2,), generator=seeded(9))
    noise = SimplexNoise((32, 32), NoiseSettings(3, 0.8, 16.0, False), torch.device("cpu")).fields(
        permutation_tables(keys)
    )
    expected = 2 * images - 1
    for number, (signal, share) in enumerate(((0.920, 0.391), (0.380, 0.925))):
        here = (number, 0, *patch_of(2, 2, number))
        expected[here] = signal * expected[here] + share * noise[here]
    torch.testing.assert_close(model.network["unet"].given[0], expected, atol=5e-3, rtol=0)


def test_only_the_patch_counts():
    images = torch.full((4, 1, 32, 32), 0.5)
    # Everywhere off by .3, in a range where the images are 0.
    loss = answering(lambda noised: torch.full_like(noised, 0.3)).validation_loss(images, seeded(0))
    assert float(loss) == pytest.approx(0.3, rel=1e-5)

    def outside_wrong(noised):
        answer = torch.full_like(noised, 5.0)
        for number in range(4):
            answer[(number, 0, *patch_of(2, 2, number))] = 0
        return answer

    assert float(answering(outside_wrong).validation_loss(images, seeded(0))) == 0


def test_training_draws_every_patch():
    model = answering(torch.zeros_like)
    # Noise is nowhere exactly 0 on a slice of 0 in [-1, 1].
    images = torch.full((32, 1, 32, 32), 0.5)
    model.training_loss(images, seeded(0), 0)
    noised = model.network["unet"].given[0] != 0
    drawn = {
        tuple(bool(slice_[(0, *patch_of(2, 2, number))].any()) for number in range(4))
        for slice_ in noised
    }
    assert drawn == {tuple(number == patch for number in range(4)) for patch in range(4)}


@pytest.mark.parametrize("grid", [(2, 2), (1, 4)])
def test_patches_are_put_together(grid):
    calls = iter(range(100))
    model = answering(
        lambda noised: torch.full_like(noised, 0.2 * next(calls) - 1), grid=list(grid)
    )
    result = reconstruct(model, batch(2), [500])
    # The first call paints the first patch with -1, which is 0 in [0, 1], the second with .1.
    for number in range(4):
        patch = result[(..., *patch_of(*grid, number))]
        torch.testing.assert_close(patch, torch.full_like(patch, 0.1 * number))
    assert all(steps.tolist() == [499, 499] for steps in model.network["unet"].timesteps)


def test_each_patch_is_cut_from_the_same_noise():
    model = answering(torch.clone)
    images = torch.full((2, 1, 32, 32), 0.5)
    result = reconstruct(model, images, [500])
    keys = mix_seeds(mix_seeds(subject_seeds(3, ["a"]).expand(2), torch.arange(2)), 500)
    noise = SimplexNoise((32, 32), NoiseSettings(3, 0.8, 16.0, False), torch.device("cpu")).fields(
        permutation_tables(keys)
    )
    torch.testing.assert_close(result, ((0.711 * noise + 1) / 2).clamp(0, 1), atol=1e-3, rtol=0)


def test_an_ensemble_is_the_mean_over_timesteps(tmp_path):
    model = build(KIND, SETTINGS)
    train_on_discs(model, tmp_path, steps=3)
    model.network.eval()
    images = batch(2)
    single = [reconstruct(model, images, [timestep]) for timestep in (250, 500, 750)]
    together = reconstruct(model, images, [250, 500, 750])
    torch.testing.assert_close(together, torch.stack(single).mean(0), atol=1e-6, rtol=0)


def test_all_chance_comes_from_the_generator():
    model = answering(torch.clone)
    first, again, other = losses_of(model)
    assert first == again != other


def test_it_learns_the_discs_and_reconstructs_them(tmp_path):
    check_learning(build(KIND, SETTINGS), tmp_path, timesteps=[250, 500])


def test_a_stopped_training_ends_bit_identical(tmp_path, capsys):
    check_resume(KIND, SETTINGS, tmp_path, capsys, stop=5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grid": [2]}, r"grid: expected a list of 2, got \[2\]"),
        ({"grid": [0, 2]}, "grid.0: 0 does not fit, expected 1 or more"),
        ({"encoder": None}, "encoder: unknown key"),
        (
            {"network": SETTINGS["network"] | {"channels": 7}},
            "settings of patched_diffusion: channels must be even",
        ),
    ],
)
def test_wrong_settings_are_one_line(changes, message):
    check_refusal(KIND, SETTINGS | changes, message)


def test_slices_that_do_not_divide_into_the_grid_are_one_line():
    model = build(KIND, SETTINGS | {"grid": [2, 3]})
    with pytest.raises(
        SettingsError, match="slices of 32x32 pixels do not divide into a grid of 2x3"
    ):
        model.training_loss(batch(), seeded(0), 0)


def test_timesteps_beyond_the_schedule_are_refused():
    with pytest.raises(SettingsError, match="expected numbers from 1 to 1000"):
        reconstruct(build(KIND, SETTINGS), batch(1), [0])
