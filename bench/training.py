"""The cost of a training step of cDDPM, compared with MONAI's U-Net and the CPU's measured peak.

A real `train` on random volumes runs some steps and is then stopped by SIGTERM, as on a cluster, so
that choice of slices, augmentation, noise, history, log and checkpoint are measured with it.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from cpu import prepared_cpu, threads_in_words
from measuring import Row, elapsed, peak_memory_mib
from monai_network import NAME, monai_network
from peaks import CONVOLUTION, convolution_rate
from sizes import Size, size_of
from stopwatch import Stopwatch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from brainuad.compute.device import Device
from brainuad.config.settings import settings_from
from brainuad.models import Model, build_trainable
from brainuad.models.checkpoints import Checkpoint
from brainuad.training.loop import TrainingSettings, train


@dataclass(frozen=True)
class Plan:
    """How a training is measured: slices per step, untimed and timed steps, volumes.

    The goals are for the network and for the loop.
    """

    batch: int
    warm_up: int
    steps: int
    training_volumes: int
    validation_volumes: int
    peak_goal: str | None = None
    loop_goal: str | None = None


PLANS = {
    # 32 slices would take minutes. With two, the loop has a larger share of the time.
    "paper": Plan(2, 1, 6, 8, 1, "ratio >= 0.7", "value <= 5"),
    "demo": Plan(8, 10, 120, 24, 3, None, "value <= 15"),
}


def measured(*, size: str) -> list[Row]:
    """Rows for the whole step, its network, and the loop around it."""
    plan, chosen = PLANS[size], size_of(size)
    place = prepared_cpu(chosen.config)
    block = chosen.config["models"]["cddpm"]
    model = build_trainable(block["kind"], block["settings"])
    watch = watched_training(model, plan, chosen, place)
    memory = peak_memory_mib()

    saving = watch.saving / (60 * chosen.config["checkpoint_minutes"])
    peak = convolution_rate(memory_format_of(model.network), plan.batch)
    unet = monai_network(block["settings"]["network"])
    ours = network_step(model.network, with_condition(model.network), plan, chosen)
    theirs = network_step(unet, unet, plan, chosen)
    flop, flop_of_reference = flop_of(ours), flop_of(theirs)

    what = f"training step of cDDPM, the {size}'s size, {plan.batch} slices, {threads_in_words()}"
    return [
        Row(
            f"{what}; {flop / plan.batch / 1e9:.3g} GFLOP a slice",
            plan.batch / watch.step,
            "slices/s",
            memory,
            f"{NAME}; {flop_of_reference / plan.batch / 1e9:.3g} GFLOP",
            plan.batch / seconds_of(theirs),
        ),
        Row(
            f"{what}: the network",
            flop / watch.network / 1e12,
            "TFLOP/s",
            reference=CONVOLUTION,
            reference_value=peak / 1e12,
            goal=plan.peak_goal,
        ),
        Row(
            f"{what}: all but the network, checkpoints included",
            100 * (watch.loop / watch.step + saving),
            "% of it",
            goal=plan.loop_goal,
        ),
    ]


def watched_training(model: Model, plan: Plan, chosen: Size, place: Device) -> Stopwatch:
    """Train with the config's settings until the plan's steps are done."""
    block = chosen.config["models"]["cddpm"]
    watch = Stopwatch(warm_up=plan.warm_up, steps=plan.steps)
    with tempfile.TemporaryDirectory() as folder, watch.watching(model.network):
        train(
            model,
            training_images=torch.rand(plan.training_volumes, *chosen.grid),
            validation_images=torch.rand(plan.validation_volumes, *chosen.grid),
            settings=settings_from(
                TrainingSettings, block["training"] | {"batch_size": plan.batch}
            ),
            seed=0,
            device=place,
            checkpoint=Checkpoint(Path(folder) / "checkpoint.pt"),
            checkpoint_minutes=chosen.config["checkpoint_minutes"],
            model_settings=block["settings"],
            code="bench",
        )
    return watch


def with_condition(network: nn.ModuleDict) -> Callable[[Tensor, Tensor], Tensor]:
    """The prediction of cDDPM's network from slices, also as the condition, and timesteps."""
    return lambda images, steps: network["unet"](images, steps, network["encoder"](images))


def network_step(
    network: nn.Module,
    predict: Callable[[Tensor, Tensor], Tensor],
    plan: Plan,
    chosen: Size,
) -> Callable[[], None]:
    """A step of the network alone, on the same slices and timesteps each time."""
    images = torch.rand(plan.batch, 1, *chosen.grid[1:])
    timesteps = torch.arange(plan.batch)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)

    def step() -> None:
        loss = (predict(images, timesteps) - images).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    network.train()
    return step


def seconds_of(step: Callable[[], None]) -> float:
    """Seconds of a step after a first untimed one."""
    step()
    return min(elapsed(step) for _ in range(3))


def flop_of(step: Callable[[], None]) -> int:
    """Floating-point operations of convolutions and matrix products in a step."""
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def memory_format_of(network: nn.Module) -> torch.memory_format:
    """The memory format of the convolutions' weights."""
    weights = [part.weight for part in network.modules() if isinstance(part, nn.Conv2d)]
    last = all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)
    return torch.channels_last if last else torch.contiguous_format
