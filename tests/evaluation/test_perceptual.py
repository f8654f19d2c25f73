"""LPIPS: the distance is MONAI's, the network MedicalNet's, and a strange file is one line."""

import hashlib

import numpy as np
import pandas as pd
import pytest
import torch
from monai.losses.perceptual import MedicalNetPerceptualSimilarity
from monai.networks.nets.resnet import ResNetFeatures
from odd_scans import LFS_POINTER
from small_training import FP32
from torch.nn import functional

import score_perceptual_distance
from brainuad.evaluation.perceptual import load_network, perceptual_distance
from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.errors import SettingsError
from brainuad.io.tables import read_table, write_table

SHAPE = (10, 24, 20)
CPU = torch.device("cpu")


def random_state(name, seed=0):
    """Weights as they come out of a training: every norm has statistics of its own."""
    torch.manual_seed(seed)
    state = ResNetFeatures(name, pretrained=False).state_dict()
    for key, value in state.items():
        if key.endswith(("bias", "running_mean")):
            state[key] = 0.1 * torch.randn_like(value)
        elif key.endswith("running_var"):
            state[key] = 0.5 + torch.rand_like(value)
    return state


def save_as_medicalnet(state, path):
    """Its format: spread over GPUs when it was saved, by a torch that wrote no zip."""
    content = {"state_dict": {f"module.{key}": value for key, value in state.items()}}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A file of a ResNet-10, and its weights."""
    state = random_state("resnet10")
    return save_as_medicalnet(state, tmp_path_factory.mktemp("small") / "resnet_10.pth"), state


def volumes(count=2, seed=1):
    return np.random.default_rng(seed).random((count, *SHAPE), np.float32)


def features_by_hand(state, values):
    """The last layer of MedicalNet's ResNet-10: stride 1 and kernels widened in layers 3 and 4."""

    def normed(x, name):
        keys = ("running_mean", "running_var", "weight", "bias")
        return functional.batch_norm(x, *(state[f"{name}.{key}"] for key in keys))

    def convolved(x, name, **options):
        return functional.conv3d(x, state[f"{name}.weight"], **options)

    x = convolved(values, "conv1", stride=2, padding=3).clone()
    x = functional.max_pool3d(normed(x, "bn1").relu(), 3, stride=2, padding=1)
    for layer, stride, dilation in ((1, 1, 1), (2, 2, 1), (3, 1, 2), (4, 1, 4)):
        name, shortcut = f"layer{layer}.0", x
        wide = {"padding": dilation, "dilation": dilation}
        inner = normed(convolved(x, f"{name}.conv1", stride=stride, **wide), f"{name}.bn1").relu()
        inner = normed(convolved(inner, f"{name}.conv2", **wide), f"{name}.bn2")
        if layer > 1:
            shortcut = convolved(x, f"{name}.downsample.0", stride=stride)
            shortcut = normed(shortcut, f"{name}.downsample.1")
        x = (inner + shortcut).relu()
    return x


def test_the_features_are_those_of_medicalnet(small):
    path, state = small
    values = torch.from_numpy(volumes(1))[None]
    features = load_network(path, CPU)(values)[-1]
    # An eighth of the resolution, from the second layer on.
    assert features.shape == (1, 512, 2, 3, 3)
    torch.testing.assert_close(features, features_by_hand(state, values), rtol=1e-4, atol=1e-4)


def test_the_distance_is_monais(small, monkeypatch):
    network = load_network(small[0], CPU)

    class LastFeatures(torch.nn.Module):
        def forward(self, values):
            return network(values)[-1]

    monkeypatch.setattr(torch.hub, "load", lambda *given, **options: LastFeatures())
    theirs = MedicalNetPerceptualSimilarity()
    image, reconstruction = volumes()
    expected = theirs(*(torch.from_numpy(volume)[None, None] for volume in (image, reconstruction)))
    found = perceptual_distance(network, image, reconstruction)
    assert found == pytest.approx(expected.item(), rel=1e-5)
    assert found > 1e-3


def test_equal_volumes_are_0_and_a_constant_one_is_undefined(small):
    network, (image, _) = load_network(small[0], CPU), volumes()
    assert perceptual_distance(network, image, image) == 0
    # The mean and the spread of the intensities do not count, as in MONAI.
    assert perceptual_distance(network, image, 0.5 * image + 0.1) == pytest.approx(0, abs=1e-6)
    assert np.isnan(perceptual_distance(network, image, np.zeros_like(image)))


def test_a_resnet_50_is_told_by_its_weights(tmp_path):
    state = random_state("resnet50")
    counts = [key for key in state if key.endswith("num_batches_tracked")]
    assert counts
    # A torch of its time may not have counted.
    for key in counts:
        del state[key]
    network = load_network(save_as_medicalnet(state, tmp_path / "resnet_50.pth"), CPU)
    loaded = network.state_dict()
    assert all(torch.equal(loaded[key], state[key]) for key in state)
    features = network(torch.from_numpy(volumes(1))[None])[-1]
    assert features.shape == (1, 2048, 2, 3, 3)
    assert not network.training and not features.requires_grad


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("layer3.0.conv2.weight"), "neither resnet10 nor resnet50"),
        (lambda state: state.update(extra=torch.ones(1)), "neither resnet10 nor resnet50"),
        (
            lambda state: state.update({"bn1.weight": torch.ones(63)}),
            "neither resnet10 nor resnet50",
        ),
        (lambda state: state.update({"bn1.weight": "one"}), "cannot be read as weights of Medical"),
    ],
    ids=["missing", "unknown", "another shape", "no tensor"],
)
def test_other_weights_are_one_line(small, tmp_path, change, message):
    state = dict(small[1])
    change(state)
    path = save_as_medicalnet(state, tmp_path / "weights.pth")
    with pytest.raises(SettingsError, match=message) as caught:
        load_network(path, CPU)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_pointer_is_named(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(LFS_POINTER)
    with pytest.raises(SettingsError, match=r"weights\.pth: is a pointer of git-lfs; get its"):
        load_network(path, CPU)


class Trap:
    """Leaves a file behind when it is unpickled as code."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("content", ["trap", "bare", "text"])
def test_no_code_of_a_file_is_run(small, tmp_path, content):
    path = tmp_path / "weights.pth"
    if content == "text":
        path.write_text("not weights")
    else:
        trapped = {"state_dict": dict(small[1]), "more": Trap(tmp_path / "sprung")}
        torch.save(trapped if content == "trap" else dict(small[1]), path)
    with pytest.raises(SettingsError, match="cannot be read as weights of MedicalNet") as caught:
        load_network(path, CPU)
    assert not (tmp_path / "sprung").exists()
    assert "\n" not in str(caught.value)


@pytest.fixture
def files(small, tmp_path):
    """Two test subjects, of whom the first is reconstructed exactly; one was left out."""
    images = volumes(3, seed=2)
    reconstructions = images.copy()
    reconstructions[2] += 0.2 * volumes(1, seed=3)[0]
    stack = SliceStack(
        images=images,
        brain_masks=np.ones(images.shape, bool),
        lesions=np.zeros(images.shape, np.uint8),
        subjects=np.array(["v", "a", "b"]),
        affines=np.tile(np.eye(4), (3, 1, 1)),
    )
    write_slices(stack, tmp_path / "slices.npz")
    np.savez(
        tmp_path / "reconstructions.npz",
        names=stack.subjects[::-1],
        reconstructions=reconstructions[::-1],
    )
    rows = {"v": "validation", "b": "test", "gone": "test", "a": "test"}
    write_table(
        pd.DataFrame({"subject": rows.keys(), "session": "", "partition": rows.values()}),
        tmp_path / "split.tsv",
    )
    return {
        "slices": tmp_path / "slices.npz",
        "split": tmp_path / "split.tsv",
        "reconstructions": tmp_path / "reconstructions.npz",
        "network": small[0],
        "output": tmp_path / "scores.tsv",
        "modality": "t2",
        "device": FP32,
        "threads": 1,
    }


def test_the_test_subjects_are_scored(files):
    digest = hashlib.sha256(files["network"].read_bytes()).hexdigest()
    score_perceptual_distance.main(**files, sha256=digest)
    scores = read_table(files["output"])
    assert scores.columns.tolist() == ["subject", "session", "modality", "metric", "value"]
    assert scores["subject"].tolist() == ["b", "a"]
    assert set(scores["modality"]) == {"t2"} and set(scores["metric"]) == {"lpips"}
    assert (scores.loc[scores["subject"] == "a", "value"] == 0).all()
    assert (scores.loc[scores["subject"] == "b", "value"] > 1e-6).all()


def test_another_checksum_is_one_line_and_nothing_is_scored(files):
    with pytest.raises(SettingsError, match=r"has the SHA-256 .*, the config expects 00ff"):
        score_perceptual_distance.main(**files, sha256="00ff")
    assert not files["output"].exists()
