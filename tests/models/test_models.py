"""What each model promises: chance only from what it is given, and a faithful weights file."""

import copy
import importlib

import numpy as np
import pytest
import torch
from odd_scans import LFS_POINTER
from own_kind import put_into

import brainuad.models
from brainuad.compute.device import Device
from brainuad.config.checks import kinds_in
from brainuad.config.device import DeviceSettings
from brainuad.config.kinds.diffusion import NoiseSettings
from brainuad.config.settings import settings_from
from brainuad.diffusion.noise import SimplexNoise, permutation_tables
from brainuad.inference.reconstruction import reconstruct_volumes
from brainuad.io.errors import SettingsError
from brainuad.io.seeds import mix_seeds, subject_seeds
from brainuad.models import build_trainable, load_model, start_from
from brainuad.models.checkpoints import write_weights

FP32 = {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True}
PROCESSOR = Device(torch.device("cpu"), settings_from(DeviceSettings, FP32))
SETTINGS = {
    "network": {"channels": 8, "multipliers": [1, 2], "residual_blocks": 1, "attention_heads": 2},
    "encoder": {
        "width": 2,
        "blocks": [1, 1, 1, 1],
        "stem_stride": 2,
        "condition_width": 8,
        "stochastic_depth": 0.05,
    },
    "noise": {"octaves": 3, "persistence": 0.8, "wavelength": 16.0, "shared": False},
    "schedule": {"timesteps": 1000, "offset": 0.008, "largest_beta": 0.999},
}
PLAIN = SETTINGS | {"encoder": None}
SHARED = SETTINGS | {"noise": SETTINGS["noise"] | {"shared": True}}


def build(settings, seed=0):
    """A model whose zero-initialised layers are shaken, so that it predicts something."""
    torch.manual_seed(seed)
    model = build_trainable("diffusion", settings)
    for parameter in model.network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    model.network.eval()
    return model


def volumes(count=3, slices=4, size=32):
    return np.random.default_rng(0).random((count, slices, size, size), np.float32)


class Echo(torch.nn.Module):
    """A network that returns what it is given, and keeps the timesteps."""

    def __init__(self):
        super().__init__()
        self.timesteps = []

    def forward(self, noised, timesteps, condition):
        self.timesteps.append(timesteps)
        return noised


@pytest.mark.parametrize("settings", [SETTINGS, PLAIN, SHARED], ids=["cddpm", "ddpm", "shared"])
def test_reconstruction_depends_on_neither_batch_nor_other_subjects(settings):
    model = build(settings)
    images = volumes()
    options = {"timesteps": [250, 500], "seed": 3, "device": PROCESSOR}
    together = reconstruct_volumes(model, images, ["a", "b", "c"], **options)
    alone = reconstruct_volumes(model, images[1:2], ["b"], **options)
    np.testing.assert_allclose(together[1], alone[0], atol=1e-5)
    renamed = reconstruct_volumes(model, images[1:2], ["x"], **options)
    assert np.abs(renamed - alone).max() > 1e-3
    assert together.min() >= 0 and together.max() <= 1
    assert together.dtype == np.float32 and together.shape == images.shape


def test_ensemble_is_the_mean_over_timesteps():
    model = build(SETTINGS)
    images, options = volumes(1), {"seed": 3, "device": PROCESSOR}
    single = [
        reconstruct_volumes(model, images, ["a"], timesteps=[timestep], **options)
        for timestep in (250, 500, 750)
    ]
    ensemble = reconstruct_volumes(model, images, ["a"], timesteps=[250, 500, 750], **options)
    np.testing.assert_allclose(ensemble, np.mean(single, axis=0), atol=1e-6)


def test_what_the_network_is_given_at_timestep_500():
    model = build(PLAIN)
    model.network["unet"] = Echo()
    keys, slice_indices = subject_seeds(3, ["a"]).expand(2), torch.tensor([0, 1])
    images = torch.full((2, 1, 32, 32), 0.5)
    result = model.reconstruct(
        images, timesteps=[500], subject_seeds=keys, slice_indices=slice_indices
    )
    # x_0 is 0 in [-1, 1], so that only noise times .711 is left; then back to [0, 1].
    noise = SimplexNoise((32, 32), NoiseSettings(3, 0.8, 16.0, False), PROCESSOR.torch).fields(
        permutation_tables(mix_seeds(mix_seeds(keys, slice_indices), 500))
    )
    expected = ((0.711 * noise + 1) / 2).clamp(0, 1)
    torch.testing.assert_close(result, expected, atol=1e-3, rtol=0)
    assert model.network["unet"].timesteps[0].tolist() == [499, 499]


@pytest.mark.parametrize(("settings", "fields"), [(PLAIN, 2), (SHARED | {"encoder": None}, 1)])
def test_slices_share_a_field_only_where_it_is_asked_for(settings, fields):
    model = build(settings)
    model.network["unet"] = Echo()
    images = torch.full((2, 1, 32, 32), 0.5)
    result = model.reconstruct(
        images,
        timesteps=[750],
        subject_seeds=subject_seeds(3, ["a"]).expand(2),
        slice_indices=torch.tensor([0, 1]),
    )
    assert len(result.unique(dim=0)) == fields


def test_training_draws_from_the_generator_and_layers_from_the_default_one():
    dropping = SETTINGS | {"encoder": SETTINGS["encoder"] | {"stochastic_depth": 0.5}}
    model = build(dropping)
    model.network.train()
    images = torch.from_numpy(volumes()[:, 0])[:, None]

    def loss(*, seed, layers):
        torch.manual_seed(layers)
        return float(model.training_loss(images, torch.Generator().manual_seed(seed), 0).detach())

    assert loss(seed=1, layers=1) == loss(seed=1, layers=1)
    assert loss(seed=1, layers=1) != loss(seed=2, layers=1)
    assert len({loss(seed=1, layers=layers) for layers in range(5)}) > 1


def test_validation_takes_all_chance_from_the_generator():
    model = build(SETTINGS)
    images = torch.from_numpy(volumes()[:, 0])[:, None]

    def loss(seed):
        torch.rand(1)
        return float(model.validation_loss(images, torch.Generator().manual_seed(seed)).detach())

    assert loss(1) == loss(1)
    assert loss(1) != loss(2)


def test_loss_of_an_echo_is_worked_out_by_hand():
    model = build(PLAIN)
    model.network["unet"] = Echo()
    # One image of -1: |x_0 - x_t| = |-1 + .703 - .711 noise| at the grid's only timestep, 501.
    images = torch.zeros(1, 1, 32, 32)
    generator = torch.Generator().manual_seed(9)
    loss = float(model.validation_loss(images, generator).detach())
    key = torch.randint(0, 2**63 - 1, (1,), generator=torch.Generator().manual_seed(9))
    noise = SimplexNoise((32, 32), NoiseSettings(3, 0.8, 16.0, False), PROCESSOR.torch).fields(
        permutation_tables(key)
    )
    assert loss == pytest.approx(float((-0.297 - 0.711 * noise).abs().mean()), abs=2e-3)
    assert model.network["unet"].timesteps[0].tolist() == [500]


def test_timesteps_beyond_the_schedule_are_refused():
    with pytest.raises(SettingsError, match="expected numbers from 1 to 1000"):
        reconstruct_volumes(
            build(PLAIN), volumes(1), ["a"], timesteps=[1001], seed=0, device=PROCESSOR
        )


def test_weights_file_rebuilds_the_method(tmp_path):
    model = build(SETTINGS)
    write_weights(
        tmp_path / "weights.pt",
        kind="diffusion",
        settings=SETTINGS,
        state=model.network.state_dict(),
        training={},
    )
    again = load_model(tmp_path / "weights.pt", PROCESSOR)
    # The order of a convolution's sums depends on the memory format.
    model.network.to(memory_format=torch.channels_last)
    options = {"timesteps": [500], "seed": 1, "device": PROCESSOR}
    np.testing.assert_array_equal(
        reconstruct_volumes(model, volumes(), ["a", "b", "c"], **options),
        reconstruct_volumes(again, volumes(), ["a", "b", "c"], **options),
    )


def test_pretrained_weights_must_fit_exactly(tmp_path):
    path = tmp_path / "encoder.pt"
    donor = build(SETTINGS, seed=1).network["encoder"].backbone.state_dict()
    torch.save(dict(donor), path)
    model = build(SETTINGS, seed=2)
    model.load_pretrained(path)
    loaded = model.network["encoder"].backbone.state_dict()
    assert all(torch.equal(loaded[name], donor[name]) for name in donor)

    first = next(iter(donor))
    torch.save({name: tensor for name, tensor in donor.items() if name != first}, path)
    with pytest.raises(SettingsError, match=f"1 missing \\(first {first}\\)"):
        model.load_pretrained(path)

    wider = copy.deepcopy(SETTINGS)
    wider["encoder"]["width"] = 4
    torch.save(build(wider).network["encoder"].backbone.state_dict(), path)
    with pytest.raises(SettingsError, match="of another shape") as caught:
        model.load_pretrained(path)
    assert "\n" not in str(caught.value)

    path.write_text("not weights")
    with pytest.raises(SettingsError, match="cannot be read as weights"):
        model.load_pretrained(path)
    path.write_bytes(LFS_POINTER)
    with pytest.raises(SettingsError, match=r"encoder\.pt: is a pointer of git-lfs; get its"):
        model.load_pretrained(path)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("difusion", {}, "'difusion' is not one of .*diffusion, .*f_anogan"),
        ("diffusion", {**PLAIN, "color": 1}, "color: unknown key"),
        (
            "diffusion",
            PLAIN | {"network": SETTINGS["network"] | {"channels": 7}},
            "settings of diffusion: channels must be even",
        ),
    ],
)
def test_wrong_settings_are_named(kind, settings, message):
    with pytest.raises(SettingsError, match=message):
        build_trainable(kind, settings)


def test_models_without_an_encoder_refuse_a_pretrained_one(tmp_path):
    with pytest.raises(SettingsError, match=r"encoder.*start from"):
        start_from(tmp_path / "encoder.pt", build(PLAIN))


def test_a_kind_without_a_pretraining_says_so(tmp_path):
    with pytest.raises(SettingsError, match=r"encoder\.pt; set pretrained to null"):
        start_from(tmp_path / "encoder.pt", object())


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def make(settings): ...", r"^models/own\.py has no function build\(settings\); add it"),
        ("def build(settings): ...", r"^models/own\.py: build returns nothing; return the model"),
    ],
)
def test_what_a_file_of_ones_own_lacks_is_named(code, message, tmp_path, monkeypatch):
    put_into(brainuad.models, code, tmp_path, monkeypatch)
    with pytest.raises(SettingsError, match=message):
        build_trainable("own", {})


@pytest.mark.parametrize("kind", kinds_in("models"))
def test_a_config_can_choose_only_what_builds_models(kind):
    assert callable(importlib.import_module(f"brainuad.models.{kind}").build)
