"""f-AnoGAN: who is trained when, losses worked out by hand, which weights are chosen, resuming."""

import copy

import pytest
import torch
from model_promises import (
    batch,
    build,
    check_reconstruction,
    check_refusal,
    check_resume,
    losses_of,
    seeded,
    train_on_discs,
)
from torch import nn

from brainuad.diffusion.process import to_image_range
from brainuad.io.errors import SettingsError
from brainuad.models import build_trainable

KIND = "f_anogan"
SETTINGS = {
    "size": [32, 32],
    "channels": [4, 8, 8],
    "latent": 6,
    "gan_steps": 8,
    "critic_steps": 3,
    "gradient_penalty": 10.0,
    "feature_weight": 1.0,
}
PAPER = SETTINGS | {"size": [96, 96], "channels": [64, 128, 256, 512, 512], "latent": 128}
TURNS = {0: "critic", 3: "generator", 8: "encoder"}


class Given(nn.Module):
    """A network that answers with what a test says, whatever it is given; it has one weight."""

    def __init__(self, answer, weight=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.answer = answer

    def forward(self, given):
        return self.answer(given, self.weight)


def test_parameter_counts_at_the_size_of_the_paper():
    with torch.device("meta"):
        parts = build_trainable(KIND, PAPER).network
    counts = {
        name: sum(value.numel() for value in part.parameters()) for name, part in parts.items()
    }
    assert counts == {"generator": 9_860_289, "critic": 7_500_929, "encoder": 9_841_920}


def test_critic_and_generator_take_turns_and_then_comes_the_encoder():
    model = build(KIND, SETTINGS)
    turns = [model.part_of(step) for step in range(10)]
    once = ["critic", "critic", "critic", "generator"]
    assert turns == [*once, *once, "encoder", "encoder"]


@pytest.mark.parametrize(("step", "part"), TURNS.items())
def test_a_step_changes_its_own_part_alone(step, part):
    model = build(KIND, SETTINGS)
    optimizer = torch.optim.Adam(model.network.parameters(), lr=0.01)
    # Each part has momentum, which would go on by itself.
    for turn in TURNS:
        take_step(model, optimizer, turn)
    before = {name: value.detach().clone() for name, value in model.network.named_parameters()}
    take_step(model, optimizer, step)
    changed = {
        name.partition(".")[0]
        for name, value in model.network.named_parameters()
        if not torch.equal(value, before[name])
    }
    assert changed == {part}


def take_step(model, optimizer, step, images=None):
    model.network.train()
    loss = model.training_loss(batch() if images is None else images, seeded(step), step)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def test_the_encoder_meets_a_frozen_gan():
    model = build(KIND, SETTINGS)
    frozen = ("generator", "critic")
    before = {part: copy.deepcopy(model.network[part].state_dict()) for part in frozen}
    optimizer = torch.optim.Adam(model.network.parameters(), lr=0.01)
    take_step(model, optimizer, 8)
    # The running means of the generator's norms, too.
    for part in frozen:
        after = model.network[part].state_dict()
        assert all(torch.equal(after[name], before[part][name]) for name in after)
    assert int(model.network.encoder_steps) == 1


def test_the_loss_of_the_critic_by_hand():
    model = build(KIND, SETTINGS)
    # A score of 3 * the sum over a slice has the slope 3 * sqrt(32 * 32) = 96 everywhere.
    critic = Given(lambda given, weight: (weight * given.flatten(1).sum(1, True), None), weight=3.0)
    model.network["critic"] = critic
    model.network["generator"] = Given(lambda given, _: torch.full((len(given), 1, 32, 32), 0.25))
    images = torch.full((4, 1, 32, 32), 0.75)
    loss = model.training_loss(images, seeded(0), 0)
    loss.backward()
    # In [-1, 1] the images are .5.
    scores, penalty = 3 * 32 * 32 * (0.25 - 0.5), 10 * (96 - 1) ** 2
    assert float(loss.detach()) == pytest.approx(scores + penalty, rel=1e-5)
    # The penalty shapes the critic, too: its derivative is 10 * 2 * (96 - 1) * 32.
    assert float(critic.weight.grad) == pytest.approx(scores / 3 + 20 * 95 * 32, rel=1e-5)


def test_the_penalty_is_taken_between_images_and_fakes():
    model = build(KIND, SETTINGS)
    seen = []

    def score(given, weight):
        seen.append(given.detach())
        return weight * given.flatten(1).sum(1, True), None

    model.network["critic"] = Given(score)
    model.network["generator"] = Given(lambda given, _: torch.full((len(given), 1, 32, 32), -1.0))
    model.training_loss(torch.ones(64, 1, 32, 32), seeded(0), 0)
    together, between = seen
    assert together[:64].unique().tolist() == [1.0]
    assert together[64:].unique().tolist() == [-1.0]
    # One place between the two for each slice, uniformly drawn.
    assert torch.equal(between, between[..., :1, :1].expand_as(between))
    places = (between[:, 0, 0, 0] + 1) / 2
    assert len(places.unique()) == 64
    assert float(places.mean()) == pytest.approx(0.5, abs=5 / (12 * 64) ** 0.5)


def test_the_generator_raises_the_score_of_its_fakes():
    model = build(KIND, SETTINGS)
    model.network["critic"] = Given(lambda given, _: (given.flatten(1).mean(1, True), None))
    model.network["generator"] = Given(
        lambda given, weight: weight + torch.full((len(given), 1, 32, 32), 0.25)
    )
    loss = model.training_loss(batch(), seeded(0), 3)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(-0.25)
    assert float(model.network["generator"].weight.grad) == pytest.approx(-1)


def test_the_izi_f_loss_by_hand():
    model = build(KIND, SETTINGS | {"feature_weight": 0.5})
    # The features are the slice's corner, seven times as large.
    model.network["critic"] = Given(lambda given, _: (None, 7 * given[:, 0, :1, 0]))
    model.network["encoder"] = Given(lambda given, _: (given[:, 0, 0, :6], None))
    model.network["generator"] = Given(
        lambda given, _: given[:, :1, None, None].expand(-1, 1, 32, 32) + 0.2
    )
    images = torch.full((4, 1, 32, 32), 0.75)
    expected = pytest.approx(0.2**2 + 0.5 * (7 * 0.2) ** 2, rel=1e-5)
    assert float(model.training_loss(images, seeded(0), 8)) == expected
    assert float(model.validation_loss(images, seeded(0))) == expected
    result = model.reconstruct(images, timesteps=[500], subject_seeds=None, slice_indices=None)
    # .5 + .2 in [-1, 1].
    torch.testing.assert_close(result, torch.full_like(images, 0.85))


@pytest.mark.parametrize("step", [0, 3])
def test_all_chance_of_the_gan_comes_from_the_generator(step):
    first, again, other = losses_of(build(KIND, SETTINGS), step=step)
    assert first == again != other


def test_the_encoder_has_no_chance():
    assert len(set(losses_of(build(KIND, SETTINGS), step=8))) == 1


def test_no_weights_are_chosen_before_the_encoder_has_its_turn(tmp_path, monkeypatch):
    model = build(KIND, SETTINGS)
    # Whatever the encoder learns, it was better before.
    losses = iter(torch.arange(5.0, 100.0))
    monkeypatch.setattr(
        model,
        "validation_loss",
        lambda images, generator, real=model.validation_loss: (
            real(images, generator) + next(losses)
        ),
    )
    progress = train_on_discs(model, tmp_path, steps=15)
    # An epoch has three steps, and the first eight steps are of the GAN.
    assert [row["step"] for row in progress.history] == [3, 6, 9, 12, 15]
    assert progress.best_step == 9
    assert int(progress.best["encoder_steps"]) == 1


def test_a_training_that_ends_before_the_encoders_turn_is_one_line(tmp_path):
    model = build(KIND, SETTINGS)
    train_on_discs(model, tmp_path, steps=8)
    with pytest.raises(SettingsError, match=r"gan_steps is 8, .* raise training\.steps or lower"):
        check_reconstruction(model)


def test_the_mean_fake_comes_near_the_mean_image():
    model = build(KIND, SETTINGS | {"gan_steps": 100})
    optimizer = torch.optim.Adam(model.network.parameters(), lr=5e-3, betas=(0.0, 0.9))

    def distance():
        model.network.eval()
        with torch.no_grad():
            fakes = model.network["generator"](torch.randn(64, 6, generator=seeded(0)))
        return float((fakes.mean(0) - (2 * batch(64) - 1).mean(0)).abs().mean())

    before = distance()
    for step in range(100):
        take_step(model, optimizer, step)
    assert distance() < 0.3 * before


def test_the_encoder_learns_to_find_what_the_generator_makes():
    model = build(KIND, SETTINGS | {"gan_steps": 2, "critic_steps": 1})
    optimizer = torch.optim.Adam(model.network["encoder"].parameters(), lr=5e-3)
    with torch.no_grad():
        made = to_image_range(model.network["generator"](torch.randn(8, 6, generator=seeded(0))))
    losses = [take_step(model, optimizer, step, made) for step in range(2, 60)]
    assert losses[-1] < 0.3 * losses[0]


def test_after_both_trainings_it_reconstructs(tmp_path):
    progress = train_on_discs(build(KIND, SETTINGS), tmp_path, steps=15)
    # Its state alone says that the encoder was trained.
    model = build(KIND, SETTINGS, seed=1)
    model.network.load_state_dict(progress.best)
    check_reconstruction(model)


@pytest.mark.parametrize("stop", [2, 7, 10], ids=["critic", "generator", "encoder"])
def test_a_stopped_training_ends_bit_identical(stop, tmp_path, capsys):
    check_resume(KIND, SETTINGS, tmp_path, capsys, stop=stop)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gan_steps": 0}, "gan_steps: 0 does not fit, expected 1 or more"),
        ({"critic_steps": 0}, "critic_steps: 0 does not fit, expected 1 or more"),
        ({"gan_steps": 3}, "gan_steps: 3 is not above critic_steps, 3, so that the generator"),
        ({"gradient_penalty": -1}, "gradient_penalty: -1.0 does not fit, expected 0 or more"),
        ({"feature_weight": -1}, "feature_weight: -1.0 does not fit, expected 0 or more"),
        ({"size": [32, 34]}, "settings of f_anogan: size must be rows and columns that divide"),
        ({"latent": 0}, "settings of f_anogan: latent must be positive"),
        ({"kappa": 1}, "kappa: unknown key"),
    ],
)
def test_wrong_settings_are_one_line(changes, message):
    check_refusal(KIND, SETTINGS | changes, message)


def test_slices_of_another_size_are_one_line():
    with pytest.raises(SettingsError, match=r"size is \[32, 32\], but the slices have \[48, 48\]"):
        build(KIND, SETTINGS).training_loss(batch(size=48), seeded(0), 0)
