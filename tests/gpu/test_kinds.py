"""Every kind of model gives the numbers of the CPU: noise, losses, gradients, reconstructions."""

import numpy as np
import pytest
import torch
from dry_run import DRY
from kinds import KINDS
from small_training import CDDPM, device_with, discs, losses_of, trained, training_settings

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.diffusion.noise import permutation_tables
from brainuad.inference.reconstruction import reconstruct_volumes
from brainuad.io.seeds import subject_seeds
from brainuad.models import build_trainable
from brainuad.scores import postprocess
from brainuad.scores.device_postprocess import anomaly_map
from brainuad.training.augmentation import augment

CPU = device_with()
ALL_KINDS = pytest.mark.parametrize(("kind", "settings"), KINDS.values(), ids=KINDS)


def furthest(found, expected):
    """The largest difference of two arrays."""
    return float(np.abs(np.asarray(found) - np.asarray(expected)).max())


def test_augmentation_and_noise(device, within):
    place, images = device(), discs()[:, :1]
    settings = training_settings().augmentation
    here, there = (
        augment(batch, settings, torch.Generator().manual_seed(1))
        for batch in (images, place.to_device(images))
    )
    within("largest difference of augmented slices", furthest(there.cpu(), here), 1e-4)
    tables = permutation_tables(subject_seeds(1, "abc"))
    assert torch.equal(permutation_tables(place.to_device(subject_seeds(1, "abc"))).cpu(), tables)
    model = build_trainable("diffusion", CDDPM)
    fields = [model.fields(subject_seeds(1, "abc"), batch).cpu() for batch in (images, there)]
    within("largest difference of simplex noise", furthest(*fields), 1e-5)


@ALL_KINDS
def test_losses_and_gradients(device, within, kind, settings):
    place, images = device(), discs()[:, :1]
    torch.manual_seed(0)
    model = build_trainable(kind, settings)
    if kind == "f_anogan":
        # Before the encoder's turn the loss says nothing.
        state = model.network.state_dict()
        model.network.load_state_dict(state | {"encoder_steps": torch.tensor(1)})
    model.network.eval()
    losses, gradients = [], []
    for chosen in (CPU, place):
        model.network.to(chosen.torch, memory_format=chosen.eager_format)
        model.network.zero_grad(set_to_none=True)
        loss = model.validation_loss(images.to(chosen.torch), torch.Generator().manual_seed(1))
        loss.backward()
        losses.append(loss.item())
        gradients.append(
            torch.cat(
                [
                    value.grad.cpu().flatten()
                    for value in model.network.parameters()
                    if value.grad is not None
                ]
            )
        )
    within("relative difference of the loss", abs(losses[1] / losses[0] - 1), 1e-3)
    error = (gradients[1] - gradients[0]).norm() / gradients[0].norm()
    within("relative difference of all gradients", error, 1e-2)


# SparK reconstructs nothing.
@pytest.mark.parametrize("name", [name for name in KINDS if name != "spark"])
def test_reconstructions(device, within, name, tmp_path):
    kind, settings = KINDS[name]
    options = {"kind": kind, "settings": settings, "steps": 8, "size": 64}
    model, _ = trained(tmp_path, CPU, **options)
    model.network.eval()
    images, asked = discs(3).numpy(), {"timesteps": [250, 500], "seed": 3}
    expected = reconstruct_volumes(model, images, "abc", device=CPU, **asked)
    place = device()
    model.network.to(place.torch, memory_format=place.eager_format)
    found = reconstruct_volumes(model, images, "abc", device=place, **asked)
    within("largest difference of a voxel", furthest(found, expected), 1e-3)


def test_bfloat16_reconstructs_what_float32_does(device, within, tmp_path):
    model, _ = trained(tmp_path, CPU, steps=20 if DRY else 60)
    model.network.eval()
    images, options = discs(3, size=32).numpy(), {"timesteps": [250, 500, 750], "seed": 3}
    found = {}
    for precision in ("fp32", "bf16"):
        place = device(precision=precision)
        model.network.to(place.torch, memory_format=place.eager_format)
        found[precision] = reconstruct_volumes(model, images, "abc", device=place, **options)
    # The tolerance of the CPU's bfloat16, see test_steps of tests/training.
    assert furthest(found["bf16"], found["fp32"]) > 0
    within("largest difference of a voxel", furthest(found["bf16"], found["fp32"]), 0.005)
    within("mean difference", np.abs(found["bf16"] - found["fp32"]).mean(), 0.0005)


def test_bfloat16_learns_what_float32_does(device, within, tmp_path):
    steps = 12 if DRY else 60
    courses = [
        trained(tmp_path / precision, device(precision=precision), steps=steps)[1]
        for precision in ("fp32", "bf16")
    ]
    losses, rounded = (losses_of(course) for course in courses)
    within("largest relative difference of an epoch", np.abs(rounded / losses - 1).max(), 0.1)
    within("relative difference of all epochs", abs(rounded.sum() / losses.sum() - 1), 0.02)


@pytest.mark.parametrize("order", [["erosion", "median"], ["median", "erosion"]])
def test_anomaly_maps_are_those_of_the_cpu(device, order):
    settings = settings_from(
        PostprocessingSettings,
        {"order": order, "erosion_iterations": 2, "median_size": 5, "minimum_component": 8},
    )
    images = discs(2).numpy()
    scores, brains = np.abs(images - discs(4)[2:].numpy()), images > 0
    for volume in zip(scores, brains, strict=True):
        found = anomaly_map(*volume, settings, device().torch)
        np.testing.assert_array_equal(found, postprocess.anomaly_map(*volume, settings))


def test_lpips(device, within, tmp_path):
    pytest.importorskip("monai", reason="MONAI is not installed here")
    from monai.networks.nets.resnet import ResNetFeatures

    from brainuad.evaluation.perceptual import load_network, perceptual_distance

    torch.manual_seed(0)
    state = ResNetFeatures("resnet10", pretrained=False).state_dict()
    content = {"state_dict": {f"module.{key}": value for key, value in state.items()}}
    torch.save(content, tmp_path / "weights.pth")
    volumes = np.random.default_rng(0).random((2, 10, 24, 20), np.float32)
    here, there = (
        perceptual_distance(load_network(tmp_path / "weights.pth", place.torch), *volumes)
        for place in (CPU, device())
    )
    within("relative difference", abs(there / here - 1), 1e-3)
