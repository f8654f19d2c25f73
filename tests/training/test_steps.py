"""A training step: that nothing in it waits for the device, and that bfloat16 learns the same."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from small_training import (
    SPARK,
    TRAINABLES,
    device_with,
    discs,
    losses_of,
    trained,
    training_settings,
)
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from brainuad.inference.reconstruction import reconstruct_volumes
from brainuad.models import build_trainable
from brainuad.networks.spark import SparK
from brainuad.networks.unet import UNet
from brainuad.training.steps import (
    build_optimizer,
    load_optimizer,
    rehearse_step,
    step_loss,
)


class Watch(TorchDispatchMode):
    """Raises where a step would copy in a way that has the CPU wait for the device."""

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        keywords = keywords or {}
        name = function.overloadpacket
        tensors = [item for item in tree_leaves((arguments, keywords)) if torch.is_tensor(item)]
        # A tensor without dimensions on the CPU goes to the device as a plain number.
        places = {tensor.device.type for tensor in tensors if tensor.ndim}
        if name in (torch.ops.aten._to_copy, torch.ops.aten.copy_):
            target = keywords.get("device") or tensors[0].device
            if places == {"cpu"} and torch.device(target).type != "cpu":
                assert keywords.get("non_blocking"), f"{name}: a copy to the device that waits"
        else:
            assert len(places) < 2, f"{name}: a tensor on the CPU beside one on the device"
        return function(*arguments, **keywords)


@pytest.fixture
def a_device(monkeypatch):
    """Torch's device without memory: whatever reads a value from it raises."""
    monkeypatch.setattr(torch, "autocast", lambda *given, **options: nullcontext())
    return device_with("meta")


@pytest.mark.parametrize(("kind", "settings"), TRAINABLES.values(), ids=TRAINABLES)
def test_nothing_in_a_step_waits_for_the_device(a_device, kind, settings):
    model = build_trainable(kind, settings)
    model.network.to("meta", memory_format=torch.channels_last)
    images = discs().to("meta")
    options = {"settings": training_settings(), "seed": 3, "device": a_device}
    # What is laid down once (the geometry of the noise) is there after the first step.
    step_loss(model, images, step=4, **options)
    with Watch():
        loss = step_loss(model, images, step=5, **options)
        loss.backward()
    assert loss.device.type == "meta" and loss.shape == ()
    assert all(weight.grad is not None for weight in model.network.parameters())


def test_nothing_in_a_reconstruction_waits_for_the_device(a_device):
    model = build_trainable(*TRAINABLES["cddpm"])
    model.network.to("meta", memory_format=torch.channels_last).eval()
    images, numbers = discs()[:, :1].to("meta"), a_device.to_device(torch.arange(9))

    def reconstruct():
        return model.reconstruct(
            images, timesteps=[250, 500], subject_seeds=numbers, slice_indices=numbers
        )

    with torch.inference_mode():
        reconstruct()
        with Watch():
            assert reconstruct().shape == images.shape


def test_the_watch_sees_what_waits(a_device):
    there, here = torch.zeros(2, 3, device="meta"), torch.tensor([0, 1])
    with Watch():
        a_device.to_device(here)
        with pytest.raises(AssertionError, match="a copy to the device that waits"):
            here.to("meta")
        for reading in (lambda: there[here], lambda: there.index_select(0, here)):
            with pytest.raises(AssertionError, match="beside one on the device"):
                reading()
        for reading in (there.sum().item, lambda: bool(there.sum() > 0), there.nonzero):
            with pytest.raises((RuntimeError, NotImplementedError), match="meta"):
                reading()


@pytest.mark.parametrize(("kind", "settings"), TRAINABLES.values(), ids=TRAINABLES)
def test_a_rehearsal_leaves_no_trace(kind, settings):
    model = build_trainable(kind, settings)
    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    rehearse_step(model, discs(), settings=training_settings(), seed=3, device=device_with())
    after = model.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(weight.grad is None for weight in model.network.parameters())


def test_the_last_layer_of_a_network_is_not_rounded_to_bfloat16():
    unet = UNet(
        channels=8, multipliers=(1,), residual_blocks=1, attention_heads=1, condition_width=None
    )
    torch.nn.init.normal_(unet.output_convolution.weight)
    images = discs(2, 1)
    spark = SparK(**SPARK)
    visible = spark.random_visible(images, torch.Generator().manual_seed(0))
    with device_with(precision="bf16").autocast():
        for reconstructed in (unet(images, torch.tensor([1, 2])), spark(images, visible)):
            assert reconstructed.dtype == torch.float32
            # Of numbers at random, one in 2^16 has no more digits than bfloat16.
            assert (reconstructed.bfloat16() == reconstructed).float().mean() < 0.01


def test_bfloat16_learns_and_reconstructs_what_float32_does(tmp_path):
    torch.set_num_threads(1)
    fp32, bf16 = device_with(), device_with(precision="bf16")
    model, course = trained(tmp_path / "fp32", fp32)
    rounded, rounded_course = trained(tmp_path / "bf16", bf16)
    # An epoch is 12 slices at random timesteps. Measured: 5 % at most, .3 % on the whole.
    losses, rounded_losses = losses_of(course), losses_of(rounded_course)
    assert losses[-1] < 0.3 * losses[0]
    np.testing.assert_allclose(rounded_losses, losses, rtol=0.1)
    assert rounded_losses.sum() == pytest.approx(losses.sum(), rel=0.02)
    assert {weight.dtype for weight in rounded.network.parameters()} == {torch.float32}

    model.network.eval()
    images, options = discs(3, size=32).numpy(), {"timesteps": [250, 500, 750], "seed": 3}
    expected = reconstruct_volumes(model, images, ["a", "b", "c"], device=fp32, **options)
    reconstructed = reconstruct_volumes(model, images, ["a", "b", "c"], device=bf16, **options)
    assert reconstructed.dtype == np.float32
    # Measured: .0023 at most, .0003 on average, beside residuals of .1.
    difference = np.abs(reconstructed - expected)
    assert 0 < difference.max() < 0.005
    assert difference.mean() < 0.0005


@pytest.mark.parametrize("saved_format", [torch.channels_last, torch.contiguous_format])
def test_a_saved_optimizer_meets_its_own_weights_in_another_memory_format(saved_format):
    """Fused optimisers take numbers in the order of memory, whatever the strides say."""

    def stepped(saving, resuming):
        layer = nn.Conv2d(3, 4, 3).to(memory_format=saving)
        torch.manual_seed(0)
        gradients = [[torch.randn(value.shape) for value in layer.parameters()] for _ in range(2)]
        with torch.no_grad():
            for value in layer.parameters():
                value.copy_(torch.randn(value.shape))
        states = []
        for step, memory_format in enumerate((saving, resuming)):
            layer.to(memory_format=memory_format)
            optimizer = build_optimizer(layer, training_settings(learning_rate=0.1))
            if states:
                load_optimizer(optimizer, states[0])
            for value, gradient in zip(layer.parameters(), gradients[step], strict=True):
                value.grad = torch.empty_like(value).copy_(gradient)
            optimizer.step()
            states.append(optimizer.state_dict())
        return layer.weight.detach().contiguous()

    expected = stepped(torch.contiguous_format, torch.contiguous_format)
    other = {
        torch.channels_last: torch.contiguous_format,
        torch.contiguous_format: torch.channels_last,
    }[saved_format]
    torch.testing.assert_close(stepped(saved_format, other), expected)
