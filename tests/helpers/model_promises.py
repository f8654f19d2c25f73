"""What the tests of each model have in common: images, a training, and promises to hold it to."""

import numpy as np
import pytest
import torch
from small_training import discs

from brainuad.compute.device import prepare_device
from brainuad.config.device import DeviceSettings
from brainuad.config.models import TrainingSettings
from brainuad.config.settings import settings_from
from brainuad.inference.reconstruction import reconstruct_volumes
from brainuad.io.errors import SettingsError
from brainuad.models import build_trainable
from brainuad.models.checkpoints import Checkpoint
from brainuad.training.loop import train

PROCESSOR = prepare_device(
    settings_from(
        DeviceSettings,
        {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True},
    ),
    threads=1,
)
TRAINING = {
    "steps": 12,
    "batch_size": 4,
    "slices_per_volume": 2,
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "betas": [0.9, 0.999],
    "warmup_steps": 0,
    "decay": "constant",
    "validation": {"every_epochs": 1, "slices_per_volume": 2, "redrawn": False},
    "augmentation": None,
}


class Given(torch.nn.Module):
    """A network that keeps what it is given, and answers as a test says.

    answer  a function of the maps that it is given, or the value of all pixels
    """

    def __init__(self, answer=0.0):
        super().__init__()
        self.answer = answer
        self.given, self.others = [], []

    def forward(self, maps, *others):
        self.given.append(maps)
        self.others.append(others)
        return self.answer(maps) if callable(self.answer) else torch.full_like(maps, self.answer)


def batch(count=4, size=32):
    """Discs as slices [count, 1, size, size]."""
    return discs(count, 1, size=size)


def build(kind, settings, seed=0):
    """A model in evaluation mode, the same for the same seed."""
    torch.manual_seed(seed)
    model = build_trainable(kind, settings)
    model.network.eval()
    return model


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def train_on_discs(model, folder, *, checkpoint_minutes=10.0, **changes):
    images = discs(8, 4, size=32)
    return train(
        model,
        training_images=images[:6],
        validation_images=images[6:],
        settings=settings_from(TrainingSettings, TRAINING | changes),
        seed=1,
        device=PROCESSOR,
        checkpoint=Checkpoint(folder / "checkpoint.pt"),
        checkpoint_minutes=checkpoint_minutes,
        model_settings={},
        code="",
    )


def losses_of(model, *, step=0, seeds=(1, 1, 2)):
    """Training losses for generators of these seeds, while the default generator goes on."""
    model.network.train()
    losses = []
    for seed in seeds:
        torch.rand(1)
        losses.append(float(model.training_loss(batch(), seeded(seed), step).detach()))
    return losses


def check_reconstruction(model, timesteps=(500,)):
    """In [0, 1], of the images' shape, and of neither the batch nor the other subjects."""
    model.network.eval()
    images = discs(3, 4, size=32).numpy()
    # As splines overshoot.
    images[:, :, 2:4, :8], images[:, :, 15:17, 15:17] = -0.1, 1.1
    options = {"timesteps": list(timesteps), "seed": 3, "device": PROCESSOR}
    together = reconstruct_volumes(model, images, ["a", "b", "c"], **options)
    alone = reconstruct_volumes(model, images[1:2], ["b"], **options)
    np.testing.assert_allclose(together[1], alone[0], atol=1e-5)
    assert together.shape == images.shape and together.dtype == np.float32
    assert together.min() >= 0 and together.max() <= 1
    # Not a constant, which would keep all of these promises too.
    assert np.abs(together[0] - together[1]).max() > 1e-3


def check_learning(model, folder, timesteps=(500,)):
    """In 60 steps the validation loss is halved; what the best weights make keeps all promises."""
    progress = train_on_discs(model, folder, steps=60, learning_rate=3e-3)
    assert progress.best_loss < 0.5 * progress.history[0]["validation_loss"]
    model.network.load_state_dict(progress.best)
    check_reconstruction(model, timesteps)


def check_refusal(kind, settings, message):
    """Settings that cannot be built are refused in one line."""
    with pytest.raises(SettingsError, match=message) as caught:
        build_trainable(kind, settings)
    assert "\n" not in str(caught.value)


class Stopped(Exception):
    """Stands for the end of a process in the middle of a training."""


def check_resume(kind, settings, folder, capsys, *, stop, **changes):
    """A training that was stopped in a step ends with the bits of one that was not."""
    whole = build(kind, settings)
    (folder / "whole").mkdir()
    expected = train_on_discs(whole, folder / "whole", **changes)

    stopped = build(kind, settings)
    training_loss = stopped.training_loss

    def stopping_loss(images, generator, step):
        loss = training_loss(images, generator, step)
        if step == stop:
            raise Stopped
        return loss

    stopped.training_loss = stopping_loss
    with pytest.raises(Stopped):
        # A checkpoint after each step.
        train_on_discs(stopped, folder, checkpoint_minutes=0.0, **changes)
    capsys.readouterr()
    resumed = build(kind, settings)
    progress = train_on_discs(resumed, folder, **changes)
    assert f"resumed after step {stop} of" in capsys.readouterr().out

    for states in (
        (progress.best, expected.best),
        (resumed.network.state_dict(), whole.network.state_dict()),
    ):
        assert states[0].keys() == states[1].keys()
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[1])
    assert progress.best_step == expected.best_step
    without_time = [
        [{name: row[name] for name in row if name != "seconds"} for row in history]
        for history in (progress.history, expected.history)
    ]
    np.testing.assert_equal(*without_time)
