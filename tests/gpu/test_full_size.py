"""The paper's network: eager float32 is the CPU's, and compiled bfloat16 the eager float32.

Gradients are compared weight by weight: a norm that is compiled wrongly may leave the loss alone.
"""

import pytest
import torch
from dry_run import DRY
from sizes import size_of
from small_training import discs

from brainuad.compute.compilation import eagerly
from brainuad.models import build_trainable

SIZE = size_of("miniature" if DRY else "paper")
SETTINGS = SIZE.config["models"]["cddpm"]["settings"]
# No layer draws.
SETTINGS = SETTINGS | {"encoder": SETTINGS["encoder"] | {"stochastic_depth": 0.0}}
BATCH = 4 if DRY else 32
# A CPU compiles for minutes what a GPU compiles in seconds.
BACKEND = "aot_eager" if DRY else "inductor"
# Limits of the loss and of a weight's gradient: its error over its own length, see `errors_of`.
FP32_LOSS, FP32_GRADIENT = 1e-4, 0.01
BF16_LOSS, BF16_GRADIENT = 0.01, 0.25
# How much further than eager bfloat16 the compiled one may be from float32, on average and at most.
FURTHER_ON_AVERAGE, FURTHER_AT_MOST = 1.25, 2.0


def build():
    """A network as in the middle of a training: no branch is zero, as in the beginning."""
    torch.manual_seed(0)
    model = build_trainable("diffusion", SETTINGS)
    with torch.no_grad():
        for parameter in model.network.parameters():
            if not parameter.any():
                parameter.normal_(std=0.02)
    return model


def slices(count):
    return discs(count, 1, size=SIZE.grid[1])


def loss_and_gradients(model, images, place, *, training=True):
    """One pass forward and back; the gradients as float64 on the CPU."""
    model.network.train(training)
    model.network.zero_grad(set_to_none=True)
    with place.autocast():
        loss = model.validation_loss(images.to(place.torch), torch.Generator().manual_seed(1))
    loss.backward()
    gradients = {
        name: value.grad.detach().cpu().double() for name, value in model.network.named_parameters()
    }
    return loss.item(), gradients


def errors_of(found, expected):
    """By weight: the length of the error over the gradient's own.

    A gradient that is nothing but rounding (the bias of attention's keys moves nothing) counts as a
    hundredth of the mean.
    """
    total = sum(value.square().sum() for value in expected.values())
    numbers = sum(value.numel() for value in expected.values())
    floor = 0.01 * (total / numbers).sqrt()
    return {
        name: float(
            (found[name] - value).norm() / value.norm().clamp(min=floor * value.numel() ** 0.5)
        )
        for name, value in expected.items()
    }


def hold(within, name, found, expected, *, loss, gradient):
    """Hold loss and gradients within limits; returns the gradients' errors."""
    within(f"{name}: error of the loss", abs(found[0] / expected[0] - 1), loss)
    errors = errors_of(found[1], expected[1])
    furthest = max(errors, key=errors.get)
    within(f"{name}: largest error of a gradient ({furthest})", errors[furthest], gradient)
    return torch.tensor(list(errors.values()))


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_compiled_bfloat16_is_eager_float32(device, within, training):
    model, images = build(), slices(BATCH)
    exact = device()
    model.network.to(exact.torch, memory_format=exact.eager_format)
    expected = loss_and_gradients(model, images, exact, training=training)
    rounded = device(precision="bf16", compile=True)
    with eagerly(rounded):
        eager = loss_and_gradients(model, images, rounded, training=training)
    limits = {"loss": BF16_LOSS, "gradient": BF16_GRADIENT}
    eager_errors = hold(within, "eager bf16", eager, expected, **limits)
    # As the training does it.
    model.network.to(memory_format=torch.channels_last)
    model.network["unet"].compile(dynamic=False, backend=BACKEND)
    compiled = loss_and_gradients(model, images, rounded, training=training)
    compiled_errors = hold(within, "compiled bf16", compiled, expected, **limits)
    further = compiled_errors.mean() / eager_errors.mean()
    within("mean error, compiled over eager", further, FURTHER_ON_AVERAGE)
    further = compiled_errors.max() / eager_errors.max()
    within("largest error, compiled over eager", further, FURTHER_AT_MOST)


def test_eager_float32_is_that_of_the_cpu(device, within):
    model, images, exact = build(), slices(2), device()
    here = torch.device("cpu")
    model.network.to(here, memory_format=torch.channels_last)
    expected = loss_and_gradients(model, images, type(exact)(here, exact.settings))
    model.network.to(exact.torch, memory_format=exact.eager_format)
    found = loss_and_gradients(model, images, exact)
    hold(within, "eager fp32", found, expected, loss=FP32_LOSS, gradient=FP32_GRADIENT)


def test_compiled_float32_is_eager_float32(device, within):
    """Without rounding in the way: what is left is what the compiler does."""
    model, images, exact = build(), slices(BATCH), device()
    model.network.to(exact.torch, memory_format=exact.eager_format)
    expected = loss_and_gradients(model, images, exact)
    model.network.to(memory_format=torch.channels_last)
    model.network["unet"].compile(dynamic=False, backend=BACKEND)
    found = loss_and_gradients(model, images, exact)
    hold(within, "compiled fp32", found, expected, loss=FP32_LOSS, gradient=FP32_GRADIENT)
