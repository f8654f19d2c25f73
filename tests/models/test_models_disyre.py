"""DISYRE: what its network is given, its loss and its steps by hand, chance, learning, resuming."""

import pytest
import torch
from model_promises import (
    batch,
    build,
    check_reconstruction,
    check_resume,
    losses_of,
    seeded,
    train_on_discs,
)

from brainuad.corruption.anomalies import with_anomalies
from brainuad.io.errors import SettingsError
from brainuad.models import build_trainable

KIND = "disyre"
SETTINGS = {
    "network": {"channels": 8, "multipliers": [1, 2], "residual_blocks": 1, "attention_heads": 2},
    "restorations": 3,
}
PAPER = {
    "network": {
        "channels": 32,
        "multipliers": [1, 2, 3, 4, 8, 8],
        "residual_blocks": 2,
        "attention_heads": 4,
    },
    "restorations": 5,
}


class Echo(torch.nn.Module):
    """A network that keeps what it is given, and answers with a constant."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer
        self.given, self.timesteps = [], []

    def forward(self, images, timesteps):
        self.given.append(images)
        self.timesteps.append(timesteps.tolist())
        return torch.full_like(images, self.answer)


def echoing(answer=0.0, **settings):
    model = build(KIND, SETTINGS | settings)
    model.network = Echo(answer)
    return model


def test_it_can_be_built_at_the_size_of_the_reference():
    with torch.device("meta"):
        model = build_trainable(KIND, PAPER)
    slices = torch.zeros(2, 1, 96, 96, device="meta")
    assert model.training_loss(slices, seeded(0), 0).shape == ()


def test_an_anomaly_is_blended_by_its_severity_and_the_network_is_told():
    model, images = echoing(), batch(8)
    model.training_loss(images, seeded(3), 0)
    generator = seeded(3)
    severities = torch.rand(8, generator=generator)
    anomalous = with_anomalies(images, generator)
    expected = images + severities[:, None, None, None] * (anomalous - images)
    torch.testing.assert_close(model.network.given[0], expected)
    assert model.network.timesteps == [[round(99 * float(severity)) for severity in severities]]
    assert (anomalous - images).abs().max() > 0.1


def test_at_severity_0_there_is_no_anomaly(monkeypatch):
    model, images = echoing(), batch()
    monkeypatch.setattr(torch, "rand", lambda *size, generator: torch.zeros(*size))
    model.training_loss(images, seeded(0), 0)
    assert torch.equal(model.network.given[0], images)
    assert model.network.timesteps == [[0] * 4]


def test_a_validation_has_an_even_grid_of_severities():
    model = echoing()
    model.validation_loss(batch(), seeded(0))
    # .125, .375, .625 and .875 of 99.
    assert model.network.timesteps == [[12, 37, 62, 87]]


def test_the_loss_is_the_squared_error_of_the_whole_slice():
    model, images = echoing(answer=0.5), batch()
    expected = float((0.5 - images).square().mean())
    assert float(model.training_loss(images, seeded(0), 0)) == pytest.approx(expected)
    assert float(model.validation_loss(images, seeded(0))) == pytest.approx(expected)


def test_a_scan_is_restored_step_by_step():
    model, images = echoing(answer=0.4, restorations=5), batch()
    result = model.reconstruct(images, timesteps=[1], subject_seeds=None, slice_indices=None)
    # The distance from the restoration is what is left of the severity.
    for given, left in zip(model.network.given, (1, 0.8, 0.6, 0.4, 0.2), strict=True):
        torch.testing.assert_close(given, 0.4 + left * (images - 0.4))
    assert model.network.timesteps == [[number] * 4 for number in (99, 79, 59, 40, 20)]
    torch.testing.assert_close(result, torch.full_like(images, 0.4))


@pytest.mark.parametrize(("answer", "cut"), [(1.2, 1.0), (-0.3, 0.0)])
def test_a_reconstruction_is_cut_to_the_range(answer, cut):
    result = echoing(answer).reconstruct(
        batch(), timesteps=[1], subject_seeds=None, slice_indices=None
    )
    assert torch.equal(result, torch.full_like(result, cut))


def test_all_chance_comes_from_the_generator(tmp_path):
    model = build(KIND, SETTINGS)
    # An untrained network answers with 0 whatever it is given.
    train_on_discs(model, tmp_path)
    first, again, other = losses_of(model)
    assert first == again != other


def test_it_learns_the_discs_and_reconstructs_them(tmp_path):
    model = build(KIND, SETTINGS)
    progress = train_on_discs(model, tmp_path, steps=60, learning_rate=3e-3)
    assert progress.best_loss < 0.5 * progress.history[0]["validation_loss"]
    model.network.load_state_dict(progress.best)
    check_reconstruction(model)


def test_a_stopped_training_ends_bit_identical(tmp_path, capsys):
    check_resume(KIND, SETTINGS, tmp_path, capsys, stop=5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"restorations": 0}, "restorations: 0 does not fit, expected 1 or more"),
        ({"network": SETTINGS["network"] | {"channels": 3}}, "channels must be even"),
        ({"noise": {}}, "noise: unknown key"),
    ],
)
def test_wrong_settings_are_one_line(changes, message):
    with pytest.raises(SettingsError, match=message) as caught:
        build_trainable(KIND, SETTINGS | changes)
    assert "\n" not in str(caught.value)


def test_there_is_no_pretraining(tmp_path):
    with pytest.raises(SettingsError, match="set pretrained to null"):
        build(KIND, SETTINGS).load_pretrained(tmp_path / "encoder.pt")
