"""What the stages train and time: the paper's networks, or miniatures in a dry run."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from sizes import Size, size_of
from torch.utils.flop_counter import FlopCounterMode

from brainuad.compute import gpus
from brainuad.compute.device import Device, prepare_device
from brainuad.config.device import DeviceSettings
from brainuad.config.models import TrainingSettings
from brainuad.config.settings import settings_from
from brainuad.models import build_trainable
from brainuad.training.steps import build_optimizer, take_step
from on_gpu import rows

THREADS = 4


@cache
def size() -> Size:
    """The paper's size, or in a dry run one that takes seconds."""
    return size_of("miniature" if rows.is_dry() else "paper")


def batch_size() -> int:
    return 4 if rows.is_dry() else 32


def device_settings(**changes: Any) -> dict[str, Any]:
    """The `device` of the rules' scripts: that of the config, or with changes."""
    settings = {"name": rows.device_name(), **size().config["gpu"]}
    if rows.is_dry():
        settings |= {"precision": "fp32", "compile": False}
    return settings | changes


def device(**changes: Any) -> Device:
    """Prepare the device without claiming it: the processes of a stage share the GPU."""
    gpus.claim = lambda identifiers: 0
    threads = 1 if rows.is_dry() else THREADS
    return prepare_device(settings_from(DeviceSettings, device_settings(**changes)), threads)


def training_of(kind: str) -> dict[str, Any]:
    """Kind, settings and training of a model in the config, or of SparK's pretraining."""
    config = size().config
    if kind != "spark":
        return {key: config["models"][kind][key] for key in ("kind", "settings", "training")}
    names = ("width", "blocks", "stem_stride", "stochastic_depth")
    encoder = config["models"]["cddpm"]["settings"]["encoder"]
    settings = {name: encoder[name] for name in names} | {
        name: config["pretraining"][name] for name in ("decoder_width", "patch_size", "mask_ratio")
    }
    return {"kind": "spark", "settings": settings, "training": config["pretraining"]["training"]}


@dataclass
class Training:
    """A training in memory; `step` takes one whole step with its batch, augmentation and noise."""

    model: Any
    place: Device
    settings: TrainingSettings
    images: torch.Tensor
    optimizer: torch.optim.Optimizer | None = None

    def step(self, number: int) -> torch.Tensor:
        if self.optimizer is None:
            # Only after the network has its final memory format.
            self.optimizer = build_optimizer(self.model.network, self.settings)
        return take_step(
            self.model,
            self.images,
            self.optimizer,
            step=number,
            settings=self.settings,
            seed=0,
            device=self.place,
        )


def build_training(name: str, place: Device, memory_format: torch.memory_format) -> Training:
    """A training of a model in the config, on as many random volumes as IXI has for training."""
    described = training_of(name)
    torch.manual_seed(0)
    model = build_trainable(described["kind"], described["settings"])
    model.network.to(place.torch, memory_format=memory_format)
    volumes = 8 if rows.is_dry() else 358
    return Training(
        model=model,
        place=place,
        settings=settings_from(
            TrainingSettings, described["training"] | {"batch_size": batch_size()}
        ),
        images=torch.rand(volumes, *size().grid, device=place.torch),
    )


def step_flop() -> float:
    """Floating-point operations of cDDPM's network in a step: convolutions and matrix products."""
    described = training_of("cddpm")
    with torch.device("meta"):
        model = build_trainable(described["kind"], described["settings"])
    images = torch.rand(batch_size(), 1, *size().grid[1:], device="meta")
    timesteps = torch.zeros(batch_size(), dtype=torch.int64, device="meta")
    with FlopCounterMode(display=False) as counter:
        network = model.network
        network["unet"](images, timesteps, network["encoder"](images)).sum().backward()
    return float(counter.get_total_flops())
