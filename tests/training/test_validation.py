"""Validations: the same each time, or drawn anew from the seed and the step."""

import copy

import numpy as np
import pytest
import torch
from model_promises import build, seeded
from small_training import CDDPM, SPARK, TRAINING, device_with, discs
from torch import nn

from brainuad.config.models import TrainingSettings
from brainuad.config.settings import settings_from
from brainuad.io.errors import SettingsError
from brainuad.models.checkpoints import Checkpoint
from brainuad.training.augmentation import augment
from brainuad.training.loop import train
from brainuad.training.validation import redraw_slices, validate

FIXED = {"every_epochs": 1, "slices_per_volume": 2, "redrawn": False}
REDRAWN = FIXED | {"redrawn": True}
PLAIN = {"augmentation": None, "validation": REDRAWN}


def with_changes(**changes):
    return settings_from(TrainingSettings, TRAINING | changes)


def numbered(volumes=3, slices=50):
    """Slices of 8 x 8 pixels; each pixel is the slice's number, counted through all volumes."""
    numbers = torch.arange(volumes * slices, dtype=torch.float32).reshape(volumes, slices, 1, 1)
    return numbers.expand(volumes, slices, 8, 8)


class Witness:
    """Keeps what it is shown, and whether it is to learn from it; one weight."""

    def __init__(self):
        self.network = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.network.weight)
        self.shown = []

    def training_loss(self, images, generator, step):
        return self._loss("training", images, generator)

    def validation_loss(self, images, generator):
        return self._loss("validation", images, generator)

    def _loss(self, name, images, generator):
        chance = float(torch.rand(1, generator=generator))
        learning = (self.network.training, torch.is_grad_enabled())
        self.shown.append((name, learning, images.clone(), chance))
        # The best weight is another one in each draw.
        return (self.network.weight - chance - images.mean()).abs().sum()


def shown_in_validation(volumes, *, step, seed=3, **changes):
    model = Witness()
    loss = validate(
        model,
        volumes,
        step=step,
        settings=with_changes(**changes),
        seed=seed,
        device=device_with(),
    )
    return loss, model.shown


def numbers_of(shown):
    return torch.cat([images for _, _, images, _ in shown])[:, 0, 0, 0].tolist()


def test_fixed_slices_and_chance_are_the_same_at_each_step():
    loss, shown = shown_in_validation(numbered(), step=12, validation=FIXED)
    # Two of 50 slices of each of three volumes, in batches of four.
    assert sorted(numbers_of(shown)) == [12, 37, 62, 87, 112, 137]
    assert [len(images) for _, _, images, _ in shown] == [4, 2]
    assert [entry[:2] for entry in shown] == [("validation", (False, False))] * 2
    # The weight is 0, so that a batch's loss is its chance and its mean.
    sums = [(chance + images.mean()) * len(images) for _, _, images, chance in shown]
    assert loss == pytest.approx(float(sum(sums)) / 6)
    again, shown_again = shown_in_validation(numbered(), step=24, validation=FIXED)
    assert again == loss
    assert numbers_of(shown_again) == numbers_of(shown)
    assert [entry[3] for entry in shown_again] == [entry[3] for entry in shown]


def test_redrawn_slices_and_chance_follow_from_the_seed_and_the_step_alone():
    torch.manual_seed(1)
    draws = [
        shown_in_validation(numbered(), step=step, seed=seed, **PLAIN)
        for step, seed in ((12, 3), (12, 3), (24, 3), (12, 4))
    ]
    kept = [(loss, numbers_of(shown), [chance for *_, chance in shown]) for loss, shown in draws]
    assert kept[0] == kept[1]
    for other in kept[2:]:
        assert all(one != another for one, another in zip(kept[0], other, strict=True))
    for _, shown in draws:
        # The training's own loss, but nothing is trained.
        assert [entry[:2] for entry in shown] == [("training", (False, False))] * 2
        assert [number // 50 for number in numbers_of(shown)] == [0, 0, 1, 1, 2, 2]


def test_redrawn_slices_come_from_the_whole_volume_over_time():
    drawn = torch.cat(
        [
            redraw_slices(numbered(), step=step, settings=with_changes(**PLAIN), seed=0)
            for step in range(250)
        ]
    )
    places = drawn[:, 0, 0, 0].long() % 50
    # 1500 draws of 50 places: 30 each with a standard deviation of 5.4.
    assert (torch.bincount(places, minlength=50) - 30).abs().max() < 5 * 5.4


def test_redrawn_slices_are_augmented_as_in_training_and_fixed_ones_are_not():
    volumes = discs(size=32)
    settings = with_changes(validation=REDRAWN)
    with_it = redraw_slices(volumes, step=12, settings=settings, seed=3)
    without = redraw_slices(volumes, step=12, settings=with_changes(**PLAIN), seed=3)
    assert with_it.shape == without.shape == (18, 1, 32, 32)
    changed = (with_it != without).flatten(1).any(1)
    # Each of the four transforms takes nine slices in ten.
    assert changed.float().mean() > 0.9
    generator = torch.Generator()
    assert not torch.equal(augment(without, settings.augmentation, generator), without)
    _, shown = shown_in_validation(volumes, step=12, validation=FIXED)
    originals = {slice_.numpy().tobytes() for slice_ in volumes.flatten(0, 1)}
    assert all(image[0].numpy().tobytes() in originals for entry in shown for image in entry[2])


class Killed(Exception):
    pass


def trained(folder, model, *, held_out=3):
    return train(
        model,
        training_images=discs()[:6],
        validation_images=discs()[6 : 6 + held_out],
        settings=with_changes(steps=18, validation=REDRAWN),
        seed=1,
        device=device_with(),
        checkpoint=Checkpoint(folder / "checkpoint.pt"),
        checkpoint_minutes=0.0,
        model_settings={},
        code="",
    )


def test_nothing_to_validate_on_is_said_before_the_training(tmp_path):
    model = Witness()
    with pytest.raises(SettingsError, match="no volume to validate on: raise the split's number"):
        trained(tmp_path, model, held_out=0)
    assert model.shown == []


def test_a_resumed_training_draws_the_same_validations(tmp_path, monkeypatch):
    def killed_after(steps):
        model = Witness()
        loss = model.training_loss

        def training_loss(images, generator, step):
            if model.network.training and step == steps:
                raise Killed
            return loss(images, generator, step)

        monkeypatch.setattr(model, "training_loss", training_loss)
        return model

    undisturbed = trained(tmp_path / "undisturbed", Witness())
    # In an epoch of three steps: within it, and right after its validation.
    for steps in (4, 9):
        with pytest.raises(Killed):
            trained(tmp_path / "killed", killed_after(steps))
    resumed = trained(tmp_path / "killed", Witness())
    losses = [[row["validation_loss"] for row in run.history] for run in (undisturbed, resumed)]
    assert losses[0] == losses[1]
    assert len(set(losses[0])) == 6
    assert resumed.best_step == undisturbed.best_step
    assert torch.equal(resumed.best["weight"], undisturbed.best["weight"])


AUTOENCODER = {"size": [32, 32], "channels": [4, 8], "latent": 4, "spatial": False}
PATCHED = {name: CDDPM[name] for name in ("network", "noise", "schedule")} | {"grid": [2, 2]}
DENOISING = {"network": {"channels": 8, "levels": 2}, "noise": {"resolution": 8, "deviation": 0.2}}
F_ANOGAN = {
    "size": [32, 32],
    "channels": [4, 8, 8],
    "latent": 6,
    "gan_steps": 8,
    "critic_steps": 3,
    "gradient_penalty": 10.0,
    "feature_weight": 1.0,
}


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("diffusion", CDDPM),
        ("patched_diffusion", PATCHED),
        ("autoencoder", AUTOENCODER | {"kl_weight": None}),
        ("autoencoder", AUTOENCODER | {"kl_weight": 0.001}),
        ("denoising_autoencoder", DENOISING),
        ("f_anogan", F_ANOGAN),
        ("disyre", {"network": CDDPM["network"], "restorations": 2}),
        ("spark", SPARK | {"patch_size": 16, "stem_stride": 2}),
    ],
    ids=["cddpm", "pddpm", "ae", "vae", "dae", "anogan", "disyre", "spark"],
)
@pytest.mark.parametrize("step", [3, 9])
def test_a_redrawn_validation_of_each_method_leaves_no_trace(kind, settings, step):
    model = build(kind, settings)
    model.network.train()
    before = copy.deepcopy(model.network.state_dict())
    trained = [weight.requires_grad for weight in model.network.parameters()]
    options = {"settings": with_changes(validation=REDRAWN), "seed": 3, "device": device_with()}
    losses = [validate(model, discs(size=32), step=step, **options) for _ in range(2)]
    assert losses[0] == losses[1]
    assert np.isfinite(losses[0])
    after = model.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert [weight.requires_grad for weight in model.network.parameters()] == trained
    assert all(weight.grad is None for weight in model.network.parameters())


def test_timesteps_of_a_diffusion_model_are_drawn_anew():
    model = build("diffusion", CDDPM)
    seen = []
    noised = model.schedule.noised

    def watched(images, noise, timesteps):
        seen.append(tuple(timesteps.tolist()))
        return noised(images, noise, timesteps)

    model.schedule.noised = watched
    options = {"seed": 3, "device": device_with()}
    for validation in (FIXED, REDRAWN):
        seen.clear()
        for step in (12, 24):
            settings = with_changes(validation=validation)
            validate(model, discs(size=32)[:2], step=step, settings=settings, **options)
        # Four slices, one batch: an even grid, or numbers from 1 to 1000.
        if validation is FIXED:
            assert seen == [(126, 376, 626, 876)] * 2
        else:
            assert len(set(seen)) == 2
            assert all(1 <= timestep <= 1000 for timesteps in seen for timestep in timesteps)


def test_f_anogan_without_gradients_has_the_loss_of_a_validation():
    model = build("f_anogan", F_ANOGAN)
    model.network.encoder_steps += 1
    images = discs(2, 2, size=32).flatten(0, 1)[:, None]
    with torch.no_grad():
        loss = model.training_loss(images, seeded(0), 3)
        assert float(loss) == float(model.validation_loss(images, seeded(1)))
    assert int(model.network.encoder_steps) == 1
