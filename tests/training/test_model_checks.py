"""Settings that cannot be built, trained or used are found without a scan, and sizes are right."""

import copy

import pytest
import torch
from small_training import CDDPM, DDPM, SPARK, TRAINING
from torch import nn

import check_models
from brainuad.io import tables
from brainuad.io.errors import SettingsError
from brainuad.models.checkpoints import write_weights
from brainuad.training import model_checks
from brainuad.training.model_checks import ModelSize, check_model

SIZE = (64, 32)
AUTOENCODER = {
    "size": [64, 32],
    "channels": [4, 8],
    "latent": 4,
    "spatial": False,
    "kl_weight": None,
}
F_ANOGAN = {
    "size": [64, 32],
    "channels": [4, 4, 4],
    "latent": 4,
    "gan_steps": 6,
    "critic_steps": 2,
    "gradient_penalty": 10,
    "feature_weight": 1,
}
ITERMASK = {
    "network": {"channels": 4, "levels": 3},
    "lowest_frequency": 0.1,
    "first_masked": 0.6,
    "next_masked": 0.2,
    "iterations": 2,
}
FAE = {
    "encoder": {key: SPARK[key] for key in ("width", "blocks", "stem_stride", "stochastic_depth")},
    "size": [64, 64],
    "channels": [4, 8],
}
KINDS = {
    "diffusion": (CDDPM, TRAINING),
    "patched_diffusion": (
        {key: DDPM[key] for key in ("network", "noise", "schedule")} | {"grid": [2, 2]},
        TRAINING,
    ),
    "autoencoder": (AUTOENCODER, TRAINING),
    "denoising_autoencoder": (
        {"network": {"channels": 4, "levels": 3}, "noise": {"resolution": 8, "deviation": 0.2}},
        TRAINING,
    ),
    "f_anogan": (F_ANOGAN, TRAINING),
    "disyre": ({"network": DDPM["network"], "restorations": 2}, TRAINING),
    "itermask": (ITERMASK, TRAINING),
    "fae": (FAE, TRAINING),
    "spark": (SPARK, TRAINING),
}


def changed(values, changes):
    """Settings with some keys changed, named by their dotted path."""
    result = copy.deepcopy(values)
    for path, value in changes.items():
        *blocks, key = path.split(".")
        block = result
        for name in blocks:
            block = block[name]
        block[key] = value
    return result


@pytest.mark.parametrize("kind", KINDS)
def test_what_works_has_as_many_parameters_as_the_network(kind):
    settings, training = KINDS[kind]
    timestep = None if kind == "spark" else 500
    found = check_model(kind, settings, training, size=SIZE, timestep=timestep)
    network = model_checks.build_trainable(kind, settings).network
    assert found.parameters == sum(p.numel() for p in network.parameters())
    assert found.step_memory >= 20 * found.parameters


CANNOT_WORK = {
    "levels of the U-Net": ("diffusion", {"network.multipliers": [1] * 7}, {}, "divide by 64"),
    "heads of its attention": ("diffusion", {"network.attention_heads": 5}, {}, "5"),
    "a misspelt key": (
        "diffusion",
        {"encoder.witdh": 4},
        {},
        "encoder.witdh: unknown key; did you mean 'width'?",
    ),
    "a number as text": ("diffusion", {"schedule.offset": "8e-3"}, {}, "as in 1.0e-4"),
    "a timestep beyond": ("diffusion", {"schedule.timesteps": 100}, {}, "numbers from 1 to 100"),
    "pDDPM's grid": ("patched_diffusion", {"grid": [2, 3]}, {}, "do not divide into a grid of 2x3"),
    "its schedule": (
        "patched_diffusion",
        {"schedule": {}},
        {},
        "schedule: the key 'timesteps' is missing",
    ),
    "an autoencoder's size": ("autoencoder", {"size": [64, 64]}, {}, "the slices have [64, 32]"),
    "its halving": ("autoencoder", {"channels": [2] * 6}, {}, "divide by 64"),
    "DAE's levels": ("denoising_autoencoder", {"network.levels": 6}, {}, "do not divide by 32"),
    "f-AnoGAN's size": ("f_anogan", {"size": [32, 32]}, {}, "the slices have [64, 32]"),
    "its turns": ("f_anogan", {"gan_steps": 60}, {}, "raise training.steps or lower gan_steps"),
    "DISYRE's levels": ("disyre", {"network.multipliers": [1] * 7}, {}, "divide by 64"),
    "IterMask2's levels": ("itermask", {"network.levels": 6}, {}, "do not divide by 32"),
    "IterMask2's validation": (
        "itermask",
        {},
        {"validation.redrawn": True},
        "set training.validation.redrawn to false",
    ),
    "FAE's stages": ("fae", {"channels": [4] * 5}, {}, "size must be rows and columns that divide"),
    "SparK's patches": ("spark", {"patch_size": 64}, {}, "do not divide into patches of 64"),
    "its mask": ("spark", {"mask_ratio": 0.9}, {}, "at least one must stay visible"),
    "its decoder": ("spark", {"decoder_width": 33}, {}, "cannot be halved"),
    "a training that ends at once": (
        "diffusion",
        {},
        {"warmup_steps": 60},
        "warmup_steps: 60 is not below",
    ),
    "an unknown optimiser": ("autoencoder", {}, {"optimizer": "sgd"}, "'sgd' is not one of"),
    "a key too many": ("autoencoder", {}, {"epochs": 3}, "epochs: unknown key"),
}


@pytest.mark.parametrize("kind", CANNOT_WORK)
def test_what_cannot_work_is_one_line(kind):
    method, settings, training, reason = CANNOT_WORK[kind]
    own_settings, own_training = KINDS[method]
    with pytest.raises(SettingsError) as caught:
        check_model(
            method,
            changed(own_settings, settings),
            changed(own_training, training),
            size=SIZE,
            timestep=None if method == "spark" else 500,
        )
    assert reason in str(caught.value) and "\n" not in str(caught.value)


def test_a_pretrained_encoder_must_fit(tmp_path):
    network = model_checks.build_trainable("diffusion", CDDPM).network
    write_weights(
        tmp_path / "encoder.pt",
        kind="spark",
        settings={},
        state=network["encoder"].backbone.state_dict(),
        training={},
    )
    given = {"size": SIZE, "timestep": 500, "pretrained": str(tmp_path / "encoder.pt")}
    check_model("diffusion", CDDPM, TRAINING, **given)
    wider = changed(CDDPM, {"encoder.width": 8})
    with pytest.raises(SettingsError, match=r"encoder\.pt: weights of another network"):
        check_model("diffusion", wider, TRAINING, **given)
    with pytest.raises(SettingsError, match="has no encoder that could start from"):
        check_model("autoencoder", AUTOENCODER, TRAINING, **given)


def test_a_network_without_a_training_is_named():
    with pytest.raises(SettingsError, match="there is a network, but training is null"):
        check_model("diffusion", CDDPM, None, size=SIZE, timestep=500)


class Squares:
    """One layer of 2 x 2048 weights; its loss is the mean square of what that gives."""

    def __init__(self):
        self.network = nn.Linear(64 * 32, 2, bias=False)

    def training_loss(self, images, generator, step):
        return self.network(images.flatten(1)).square().mean()

    def validation_loss(self, images, generator):
        return self.training_loss(images, generator, 0)

    def reconstruct(self, images, *, timesteps, subject_seeds, slice_indices):
        return torch.zeros_like(images)


def check_own(monkeypatch, method, samples=1):
    monkeypatch.setattr(model_checks, "build_trainable", lambda kind, settings: method())
    return check_model("own", {}, TRAINING, size=SIZE, timestep=500, samples=samples)


def test_memory_is_that_of_weights_and_of_what_is_kept(monkeypatch):
    # The layer keeps its input, which is the batch itself, and its weights; the square its input,
    # 4 slices of 2 numbers of 4 bytes.
    found = check_own(monkeypatch, Squares)
    assert found == ModelSize(parameters=4096, step_memory=5 * 4 * 4096 + 4 * 2 * 4)


def test_a_kind_that_reads_its_numbers_is_tried_with_numbers(monkeypatch):
    class Reading(Squares):
        def training_loss(self, images, generator, step):
            loss = super().training_loss(images, generator, step)
            return loss * float(images.amax() + 1)

    found = check_own(monkeypatch, Reading)
    # The factor is a number, so that the square still keeps its input, and the product nothing.
    assert found.step_memory == 5 * 4 * 4096 + 4 * 2 * 4


@pytest.mark.parametrize(
    ("name", "made", "reason"),
    [
        ("training_loss", lambda images: images.sum((1, 2, 3)), "must be a scalar, got"),
        ("validation_loss", lambda images: images, "must be a scalar, got"),
        ("reconstruct", lambda images: images[:, 0], "reconstruct must return (2, 1, 64, 32)"),
        ("reconstruct", lambda images: images @ images, "RuntimeError: "),
        ("training_loss", lambda images: images.mean(), "has no gradient, so nothing would be"),
    ],
)
def test_a_kind_of_ones_own_that_returns_something_else(monkeypatch, name, made, reason):
    own = type("Own", (Squares,), {name: lambda self, images, *_, **__: made(images)})
    with pytest.raises(SettingsError) as caught:
        check_own(monkeypatch, own)
    assert reason in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["diffusion", "patched_diffusion"])
def test_samples_are_tried_too(kind, monkeypatch):
    settings, training = KINDS[kind]
    check_model(kind, settings, training, size=SIZE, timestep=500, samples=10)
    with pytest.raises(SettingsError, match="unexpected keyword argument 'samples'"):
        check_own(monkeypatch, Squares, samples=10)

    class Forgetful(Squares):
        def reconstruct(self, images, **options):
            return torch.zeros_like(images)

    expected = r"must return \(2, 2, 64, 32\), got \(2, 1, 64, 32\)"
    with pytest.raises(SettingsError, match=expected):
        check_own(monkeypatch, Forgetful, samples=10)


def test_table_and_the_key_that_is_wrong(tmp_path, capsys):
    blocks = {
        kind: {
            "kind": kind,
            "settings": KINDS[kind][0],
            "training": KINDS[kind][1],
            "pretrained": None,
            "timestep": 500,
        }
        for kind in ("f_anogan", "autoencoder")
    }
    pretraining = {"network": SPARK, "training": TRAINING}
    sizes = tmp_path / "sizes.tsv"
    settings = {"sizes": sizes, "pretraining": pretraining, "size": SIZE}
    check_models.main(models=blocks, methods={}, **settings)
    table = tables.read_table(sizes)
    assert table["model"].tolist() == ["models.f_anogan", "models.autoencoder", "pretraining"]
    assert table["parameters"].gt(0).all()
    assert "models.autoencoder: " in capsys.readouterr().out
    blocks["autoencoder"]["settings"] = {**AUTOENCODER, "latent": 0}
    with pytest.raises(SettingsError, match=r"config: models\.autoencoder: .*latent"):
        check_models.main(models=blocks, methods={}, **settings)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ({"model": None, "score": {"kind": "absolute"}}, "m: the score absolute compares a scan"),
        (
            {"model": "ddpm", "score": {"kind": "mahalanobis"}},
            r"m\.samples: the score mahalanobis compares a scan with several reconstructions",
        ),
        ({"model": "ae", "score": {"kind": "absolut"}}, r"m\.score: score kind 'absolut' is not"),
        ({"model": "ae", "score": {"kind": "absolute", "of": 1}}, r"m\.score: of: unknown key"),
    ],
)
def test_scores_are_tried_too(method, expected, tmp_path):
    given = {"pretraining": None, "size": SIZE, "models": {}}
    methods = {"m": method | {"samples": 1}}
    with pytest.raises(SettingsError, match=expected):
        check_models.main(methods=methods, sizes=tmp_path / "sizes.tsv", **given)
