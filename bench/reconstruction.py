"""What reconstructing a volume costs, beside as many passes of MONAI's U-Net."""

from dataclasses import dataclass

import numpy as np
import torch
from devices import device_of, threads_of, timed_on
from measuring import Row
from monai_network import NAME, monai_network
from sizes import size_of

from brainuad.methods import build_trainable
from brainuad.reconstruction import SLICES_AT_A_TIME, reconstruct_volumes

ENSEMBLE = [250, 500, 750]


@dataclass(frozen=True)
class Plan:
    """How many volumes, how many slices of each, and the goal."""

    volumes: int
    slices: int
    goal: str | None = None


PLANS = {
    # A whole volume would take a minute and more.
    ("paper", "cpu"): Plan(1, 4),
    ("demo", "cpu"): Plan(1, 25),
    # 0.15 s for a volume. From some 330 on the network is compiled: most data sets have fewer.
    ("paper", "cuda"): Plan(40, 50, "value >= 6.67"),
    ("demo", "cuda"): Plan(40, 25),
}


def measured(*, size: str, device: str) -> list[Row]:
    """Volumes per second, as the mean over three timesteps, the step from and to the processor."""
    plan, chosen = PLANS[size, device], size_of(size)
    place = device_of(device, chosen.config)
    block = chosen.config["methods"]["cddpm"]
    method = build_trainable(block["kind"], block["settings"])
    method.network.to(place.torch, memory_format=torch.channels_last).eval()
    unet = monai_network(block["settings"]["network"], place.torch).eval()
    rng = np.random.default_rng(0)
    images = rng.random((plan.volumes, plan.slices, *chosen.grid[1:]), dtype=np.float32)
    subjects = [f"subject{number}" for number in range(plan.volumes)]

    def ours() -> None:
        reconstruct_volumes(method, images, subjects, timesteps=ENSEMBLE, seed=0, device=place)

    def theirs() -> None:
        slices = torch.from_numpy(images).flatten(0, 1)[:, None]
        with torch.inference_mode(), place.autocast():
            for batch in slices.split(SLICES_AT_A_TIME[device]):
                for timestep in ENSEMBLE:
                    steps = torch.full((len(batch),), timestep, device=place.torch)
                    unet(batch.to(place.torch), steps).cpu()

    timing = timed_on(device, ours, theirs, runs=2)
    volumes = plan.volumes * plan.slices / chosen.grid[0]
    part = "" if plan.slices == chosen.grid[0] else f", from {plan.slices} of its slices"
    return [
        Row(
            f"reconstruction of a volume, ENS, the {size}'s size{part}{threads_of(device)}",
            volumes / timing.seconds,
            "volumes/s",
            timing.peak_memory_mib,
            f"{NAME}, as many passes",
            volumes / timing.reference_seconds,
            plan.goal,
        )
    ]
