"""A step waits for nothing, and has no kernel that gives other bits the next time."""

import pytest
import torch
from dry_run import DRY
from kinds import KINDS
from small_training import discs, training_settings

from brainuad.inference.reconstruction import reconstruct_volumes
from brainuad.models import build_trainable
from brainuad.training.steps import build_optimizer, take_step


def test_a_copy_to_the_gpu_waits_for_nothing(device, needs_a_gpu):
    place, numbers = device(), torch.arange(1000)
    torch.cuda.set_sync_debug_mode("error")
    there = place.to_device(numbers)
    with pytest.raises(RuntimeError, match="synchronizing"):
        numbers.to(place.torch)
    torch.cuda.set_sync_debug_mode("default")
    assert there.device == place.torch
    assert torch.equal(there.cpu(), numbers)


@pytest.mark.parametrize("deterministic", [True, False])
@pytest.mark.parametrize("precision", ["bf16", "fp32"])
@pytest.mark.parametrize(("kind", "settings"), KINDS.values(), ids=KINDS)
def test_no_step_waits_and_each_is_repeatable(device, kind, settings, precision, deterministic):
    if DRY and not (precision == "fp32" and deterministic):
        pytest.skip("a CPU has one way to compute")
    place = device(precision=precision, deterministic=deterministic)
    # What is a warning in a training is an error here.
    torch.use_deterministic_algorithms(deterministic)
    torch.utils.deterministic.fill_uninitialized_memory = False
    model = build_trainable(kind, settings)
    model.network.to(place.torch, memory_format=place.eager_format)
    options = {"settings": training_settings(), "seed": 3, "device": place}
    optimizer = build_optimizer(model.network, options["settings"])
    images = discs().to(place.torch)
    # What is made once is there after the first steps.
    for step in range(3):
        take_step(model, images, optimizer, step=step, **options)
    if not DRY:
        torch.cuda.set_sync_debug_mode("error")
    losses = [take_step(model, images, optimizer, step=step, **options) for step in range(3, 8)]
    if not DRY:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.stack(losses).isfinite().all()
    if kind != "spark":
        model.network.eval()
        reconstruct_volumes(model, discs(1).numpy(), "a", timesteps=[500], seed=3, device=place)


def test_a_batch_is_reconstructed_without_waiting(device, needs_a_gpu):
    place = device(precision="bf16")
    for name, (kind, settings) in KINDS.items():
        if name == "spark":
            continue
        model = build_trainable(kind, settings)
        if kind == "f_anogan":
            state = model.network.state_dict()
            model.network.load_state_dict(state | {"encoder_steps": torch.tensor(1)})
        model.network.to(place.torch, memory_format=place.eager_format).eval()
        images = place.to_device(discs(4, 1).flatten(0, 1)[:, None])
        numbers = place.to_device(torch.arange(4))
        options = {"timesteps": [250, 500], "subject_seeds": numbers, "slice_indices": numbers}
        with torch.inference_mode(), place.autocast():
            model.reconstruct(images, **options)
            torch.cuda.set_sync_debug_mode("error")
            model.reconstruct(images, **options)
            torch.cuda.set_sync_debug_mode("default")
