"""DISYRE: what its network is given, its loss and its steps by hand, chance, learning, resuming."""

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

from brainuad.corruption.anomalies import with_anomalies
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


def echoing(answer=0.0, **settings):
    model = build(KIND, SETTINGS | settings)
    model.network = Given(answer)
    return model


def timesteps_of(model):
    return [timesteps.tolist() for (timesteps,) in model.network.others]


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
    assert timesteps_of(model) == [[round(99 * float(severity)) for severity in severities]]
    assert (anomalous - images).abs().max() > 0.1


def test_at_severity_0_there_is_no_anomaly(monkeypatch):
    model, images = echoing(), batch()
    monkeypatch.setattr(torch, "rand", lambda *size, generator: torch.zeros(*size))
    model.training_loss(images, seeded(0), 0)
    assert torch.equal(model.network.given[0], images)
    assert timesteps_of(model) == [[0] * 4]


def test_a_validation_has_an_even_grid_of_severities():
    model = echoing()
    model.validation_loss(batch(), seeded(0))
    # .125, .375, .625 and .875 of 99.
    assert timesteps_of(model) == [[12, 37, 62, 87]]


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
    assert timesteps_of(model) == [[number] * 4 for number in (99, 79, 59, 40, 20)]
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
    check_learning(build(KIND, SETTINGS), tmp_path)


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
    check_refusal(KIND, SETTINGS | changes, message)
