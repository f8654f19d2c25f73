"""Trainings of a second, for the tests of steps, of compilation and of a GPU."""

from pathlib import Path

import numpy as np
import torch

from brainuad.compute.device import Device
from brainuad.config.device import DeviceSettings
from brainuad.config.models import TrainingSettings
from brainuad.config.settings import settings_from
from brainuad.models import build_trainable
from brainuad.models.checkpoints import Checkpoint
from brainuad.training.loop import Progress, train

FP32 = {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True}
TRAINING = {
    "steps": 60,
    "batch_size": 4,
    "slices_per_volume": 2,
    "optimizer": "adam",
    "learning_rate": 2e-3,
    "weight_decay": 0.0,
    "betas": [0.9, 0.999],
    "warmup_steps": 1,
    "decay": "cosine",
    "validation": {"every_epochs": 2, "slices_per_volume": 2, "redrawn": False},
    # Each transform acts on most slices, so that all of them are in a step.
    "augmentation": {
        "blur": {"probability": 0.9, "deviation": [0.0, 2.0]},
        "bias_field": {"probability": 0.9, "order": 3, "coefficients": 0.5},
        "gamma": {"probability": 0.9, "log_gamma": 0.3},
        "ghosting": {
            "probability": 0.9,
            "ghosts": [4, 10],
            "intensity": [0.5, 1.0],
            "restore": 0.02,
        },
    },
}
DDPM = {
    "network": {"channels": 8, "multipliers": [1, 2], "residual_blocks": 1, "attention_heads": 2},
    "encoder": None,
    "noise": {"octaves": 4, "persistence": 0.8, "wavelength": 16.0, "shared": True},
    "schedule": {"timesteps": 1000, "offset": 0.008, "largest_beta": 0.999},
}
CDDPM = DDPM | {
    "noise": DDPM["noise"] | {"shared": False},
    "encoder": {
        "width": 4,
        "blocks": [1, 1, 1, 1],
        # As the paper's, with the pooling behind the stem.
        "stem_stride": 4,
        "condition_width": 8,
        "stochastic_depth": 0.2,
    },
}
SPARK = {
    "width": 2,
    "blocks": [1, 1, 1, 1],
    "stem_stride": 4,
    "stochastic_depth": 0.2,
    "decoder_width": 32,
    "patch_size": 32,
    "mask_ratio": 0.5,
}
TRAINABLES = {
    "cddpm": ("diffusion", CDDPM),
    "ddpm, shared noise": ("diffusion", DDPM),
    "spark": ("spark", SPARK),
}


def device_with(place="cpu", **changes):
    """A device as it is, with other settings; nothing global is switched."""
    return Device(torch.device(place), settings_from(DeviceSettings, FP32 | changes))


def training_settings(**changes):
    return settings_from(TrainingSettings, TRAINING | changes)


def discs(volumes=9, slices=5, size=64):
    """Discs of random place, size and brightness, float32 [N, S, H, W]."""
    generator = np.random.default_rng(4)
    rows, columns = np.mgrid[:size, :size]
    images = np.zeros((volumes, slices, size, size), np.float32)
    for image in images.reshape(-1, size, size):
        row, column, radius = generator.uniform(0.35, 0.65, 3) * (size, size, size / 2)
        image[...] = generator.uniform(0.4, 0.9) * (np.hypot(rows - row, columns - column) < radius)
    return torch.from_numpy(images)


def trained(
    folder: Path,
    device: Device,
    *,
    kind: str = "diffusion",
    settings: dict = CDDPM,
    size: int = 32,
    checkpoint_minutes: float = 10.0,
    **changes,
) -> tuple[object, Progress]:
    """A model of always the same first weights, trained on discs, and the course it took."""
    torch.manual_seed(0)
    model = build_trainable(kind, settings)
    images = discs(size=size)
    progress = train(
        model,
        training_images=images[:6],
        validation_images=images[6:],
        settings=training_settings(**changes),
        seed=1,
        device=device,
        checkpoint=Checkpoint(folder / "checkpoint.pt"),
        checkpoint_minutes=checkpoint_minutes,
        model_settings={},
        code="",
    )
    return model, progress


def losses_of(progress: Progress) -> np.ndarray:
    return np.array([row["training_loss"] for row in progress.history])
