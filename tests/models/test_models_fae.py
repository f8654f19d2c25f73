"""FAE: its features and SSIM by other libraries, what it is given, its map, learning, resuming."""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch
from model_promises import (
    PROCESSOR,
    TRAINING,
    Given,
    batch,
    build,
    check_reconstruction,
    check_refusal,
    check_resume,
    losses_of,
    seeded,
    train_on_discs,
)
from safetensors.torch import save_file
from scipy import ndimage
from torch.nn import functional

from brainuad.io.errors import SettingsError
from brainuad.models import build_trainable, load_model
from brainuad.models.checkpoints import write_weights
from brainuad.networks.features import StructuralSimilarity
from brainuad.networks.resnet import ResNetBackbone
from brainuad.training.model_checks import check_model

KIND = "fae"
ENCODER = {"width": 4, "blocks": [1, 1, 1, 1], "stem_stride": 2, "stochastic_depth": 0.5}
SETTINGS = {"encoder": ENCODER, "size": [32, 32], "channels": [16, 16]}
PHOTOGRAPHS = {"encoder": None, "size": [128, 128], "channels": [100, 150, 200, 300]}


def reconstruct(model, images):
    return model.reconstruct(images, timesteps=[1], subject_seeds=None, slice_indices=None)


def shaken(network, seed=0):
    """A network none of whose weights and statistics is as it was initialised."""
    generator = seeded(seed)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            drawn = torch.rand(value.shape, generator=generator)
            value.copy_(0.5 + drawn if "running_var" in name else (drawn - 0.5) / 4)
    return network.eval()


@pytest.fixture
def resnet18():
    """MONAI's ResNet-18 as torchvision's: of random weights, with a stem of stride 2."""
    from monai.networks.nets import resnet18

    shape = {"spatial_dims": 2, "n_input_channels": 3, "num_classes": 5}
    network = shaken(resnet18(**shape, shortcut_type="B", conv1_t_size=7, conv1_t_stride=2))
    for name, value in network.named_parameters():
        if name.endswith("downsample.0.bias"):
            value.data.zero_()
    return network


def state_of(resnet18):
    """With torchvision's names: no convolution has a bias."""
    state = resnet18.state_dict().items()
    return {name: value.clone() for name, value in state if "downsample.0.bias" not in name}


def test_similarity_by_scipy():
    generator = np.random.default_rng(0)
    x, y = generator.random((2, 3, 4, 9, 12)) * 2
    window = np.exp(-(np.arange(-2, 3) ** 2) / (2 * 1.5**2))
    window = np.outer(window, window) / window.sum() ** 2

    def mean(maps):
        return ndimage.correlate(maps, window[None, None], mode="constant")

    variances = mean(x * x) - mean(x) ** 2, mean(y * y) - mean(y) ** 2
    covariance = mean(x * y) - mean(x) * mean(y)
    expected = (2 * mean(x) * mean(y) + 1e-4) * (2 * covariance + 9e-4)
    expected /= (mean(x) ** 2 + mean(y) ** 2 + 1e-4) * (sum(variances) + 9e-4)
    found = StructuralSimilarity()(*(torch.from_numpy(maps).float() for maps in (x, y)))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert expected.min() < 0.2


def test_features_of_sparks_encoder_are_its_first_maps_at_the_finest_size():
    torch.manual_seed(0)
    backbone = shaken(ResNetBackbone(**ENCODER))
    model = build(KIND, SETTINGS)
    model.network["features"].load_state_dict(backbone.state_dict(), strict=False)
    images = batch()
    found = model.network["features"](images)
    backbone.requires_grad_(False)
    stem = functional.relu(backbone.stem_norm(backbone.stem(images)))
    first, second, *_ = backbone.feature_maps(images)
    # From corner to corner, linear in between.
    places = np.linspace(0, second.shape[-1] - 1, first.shape[-1])
    grid = np.meshgrid(places, places, indexing="ij")
    finer = [[ndimage.map_coordinates(one, grid, order=1) for one in maps] for maps in second]
    assert found.shape == (4, 4 + 16 + 32, 16, 16)
    torch.testing.assert_close(found[:, :20], torch.cat([stem, first], dim=1))
    np.testing.assert_allclose(found[:, 20:], finer, atol=1e-5)


def test_features_of_a_resnet18_are_those_of_monais(resnet18, tmp_path):
    save_file(state_of(resnet18), tmp_path / "resnet18.safetensors")
    model = build(KIND, PHOTOGRAPHS)
    model.load_pretrained(tmp_path / "resnet18.safetensors")
    images = batch(size=64)
    maps = []
    for name in ("maxpool", "layer1", "layer2"):
        layer = getattr(resnet18, name)
        layer.register_forward_hook(lambda _, given, answer: maps.append(answer))
    with torch.no_grad():
        resnet18((images * 2 - 1).repeat(1, 3, 1, 1))
    maps[2] = functional.interpolate(maps[2], (16, 16), mode="bilinear", align_corners=True)
    found = model.network["features"](images)
    torch.testing.assert_close(found, torch.cat(maps, dim=1))
    assert found.shape == (4, 256, 16, 16) and found.std() > 0.05


def test_weights_of_a_resnet18_must_fit_exactly(resnet18, tmp_path):
    model, path = build(KIND, PHOTOGRAPHS), tmp_path / "resnet18.safetensors"
    state = state_of(resnet18)
    save_file(state, path)
    # Before there are scans, and without memory for weights.
    options = {"size": (96, 96), "timestep": 1, "pretrained": str(path)}
    check_model(KIND, PHOTOGRAPHS, TRAINING, **options)
    first = state["conv1.weight"]
    del state["bn1.weight"]
    wrong = state | {"conv1.weight": first[:, :1].clone(), "layer1.2.conv1.weight": first}
    save_file(wrong, path)
    expected = r"missing \(first bn1.weight\), 1 unknown \(first layer1.2.*shape \(first conv1"
    with pytest.raises(SettingsError, match=expected) as caught:
        model.load_pretrained(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    with pytest.raises(SettingsError, match=expected):
        check_model(KIND, PHOTOGRAPHS, TRAINING, **options)
    torch.save(state_of(resnet18), path)
    with pytest.raises(SettingsError, match="cannot be read as safetensors") as caught:
        model.load_pretrained(path)
    assert "\n" not in str(caught.value)


def test_the_features_of_a_pretraining_by_spark(tmp_path):
    torch.manual_seed(1)
    backbone, path = shaken(ResNetBackbone(**ENCODER)), tmp_path / "encoder.pt"
    torch.save(dict(backbone.state_dict()), path)
    model = build(KIND, SETTINGS)
    model.load_pretrained(path)
    state = model.network["features"].state_dict()
    assert all(torch.equal(value, backbone.state_dict()[name]) for name, value in state.items())
    assert set(ResNetBackbone(**ENCODER).state_dict()) - set(state) == {
        name for name in backbone.state_dict() if name.startswith(("stages.2", "stages.3"))
    }
    wider = copy.deepcopy(SETTINGS)
    wider["encoder"]["width"] = 8
    with pytest.raises(SettingsError, match=r"encoder\.pt: weights of another network"):
        build(KIND, wider).load_pretrained(path)


def test_it_learns_the_features_of_discs_and_changes_none(tmp_path):
    model = build(KIND, SETTINGS)
    # Those of an empty slice are not 0, either.
    before = copy.deepcopy(shaken(model.network["features"]).state_dict())
    other = copy.deepcopy(model.network["autoencoder"].state_dict())
    progress = train_on_discs(model, tmp_path, steps=120, learning_rate=1e-2)
    assert progress.best_loss < 0.5 * progress.history[0]["validation_loss"]
    model.network.load_state_dict(progress.best)
    check_reconstruction(model)
    for name, value in model.network["features"].state_dict().items():
        assert torch.equal(value, before[name]), name
    after = model.network["autoencoder"].state_dict()
    assert not any(torch.equal(after[name], other[name]) for name in other if "weight" in name)


def test_parameter_count_at_the_size_of_the_reference():
    with torch.device("meta"):
        model = build_trainable(KIND, PHOTOGRAPHS)
    stages = (256, 100, 150, 200, 300)
    steps = sum(a * b for a, b in pairwise(stages))
    # 5x5 and 6x6 filters, a norm after each; a last 5x5 and a last 1x1 convolution.
    expected = (25 + 36) * steps + 2 * (sum(stages[1:]) + sum(stages[:-1]))
    expected += 25 * 300**2 + 256**2
    found = sum(value.numel() for value in model.network["autoencoder"].parameters())
    assert found == expected
    images = torch.zeros(2, 1, 96, 96, device="meta")
    assert reconstruct(model, images).shape == (2, 1, 96, 96)


def with_answer(answer):
    model = build(KIND, SETTINGS)
    model.network["autoencoder"] = Given(answer)
    return model


def test_what_is_reconstructed_as_it_is_has_an_anomaly_map_of_0():
    model, images = with_answer(torch.clone), batch(size=48)
    assert reconstruct(model, images).abs().max() < 1e-6
    # Slices become features at the size of the settings.
    assert model.network["autoencoder"].given[0].shape[-2:] == (16, 16)
    assert abs(float(model.training_loss(images, seeded(0), 0))) < 1e-6


def test_the_map_is_half_of_1_less_the_mean_similarity():
    model, images = with_answer(lambda maps: 1 - maps), batch(size=48)
    features = model.network["features"](
        functional.interpolate(images, (32, 32), mode="bilinear", align_corners=True)
    )
    similarity = StructuralSimilarity()(1 - features, features).mean(1, keepdim=True)
    expected = functional.interpolate(
        (1 - similarity) / 2, (48, 48), mode="bilinear", align_corners=True
    )
    torch.testing.assert_close(reconstruct(model, images), expected)
    torch.testing.assert_close(
        model.validation_loss(images, seeded(0)), (1 - similarity).mean() / 2
    )
    assert expected.max() > 0.5


def test_no_chance_but_that_of_dropout():
    model = build(KIND, SETTINGS)
    model.network.eval()
    assert torch.equal(*(model.validation_loss(batch(), seeded(seed)) for seed in (1, 2)))
    assert len(set(losses_of(model))) == 3


def test_a_weights_file_needs_no_other(tmp_path):
    model = build(KIND, SETTINGS)
    path = tmp_path / "weights.pt"
    state = model.network.state_dict()
    write_weights(path, kind=KIND, settings=SETTINGS, state=state, training={})
    again = load_model(path, PROCESSOR)
    torch.testing.assert_close(reconstruct(again, batch()), reconstruct(model, batch()))


def test_a_stopped_training_ends_bit_identical(tmp_path, capsys):
    check_resume(KIND, SETTINGS, tmp_path, capsys, stop=5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": [32, 36]}, "settings of fae: size must be rows and columns that divide by 8"),
        ({"size": [32]}, r"size: expected a list of 2, got \[32\]"),
        ({"channels": []}, "channels: expected a list of 1 or more"),
        ({"encoder": ENCODER | {"condition_width": 8}}, "condition_width: unknown key"),
    ],
)
def test_wrong_settings_are_one_line(changes, message):
    check_refusal(KIND, SETTINGS | changes, message)
