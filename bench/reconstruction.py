"""The cost of reconstructing a volume, compared with as many passes of MONAI's U-Net."""

import numpy as np
import torch
from cpu import prepared_cpu, threads_in_words
from measuring import Row, side_by_side
from monai_network import NAME, monai_network
from sizes import size_of

from brainuad.inference.reconstruction import SLICES_AT_A_TIME, reconstruct_volumes
from brainuad.models import build_trainable

ENSEMBLE = [250, 500, 750]
# A whole volume of the paper's size would take more than a minute.
SLICES = {"paper": 4, "demo": 25}


def measured(*, size: str) -> list[Row]:
    """Volumes per second with the mean over three timesteps."""
    count, chosen = SLICES[size], size_of(size)
    place = prepared_cpu(chosen.config)
    block = chosen.config["models"]["cddpm"]
    model = build_trainable(block["kind"], block["settings"])
    model.network.to(memory_format=place.eager_format).eval()
    unet = monai_network(block["settings"]["network"]).eval()
    rng = np.random.default_rng(0)
    images = rng.random((1, count, *chosen.grid[1:]), dtype=np.float32)

    def ours() -> None:
        reconstruct_volumes(model, images, ["a"], timesteps=ENSEMBLE, seed=0, device=place)

    def theirs() -> None:
        slices = torch.from_numpy(images).flatten(0, 1)[:, None]
        with torch.inference_mode():
            for batch in slices.split(SLICES_AT_A_TIME["cpu"]):
                for timestep in ENSEMBLE:
                    unet(batch, torch.full((len(batch),), timestep))

    timing = side_by_side(ours, theirs, runs=2)
    volumes = count / chosen.grid[0]
    part = "" if count == chosen.grid[0] else f", from {count} of its slices"
    return [
        Row(
            f"reconstruction of a volume, ENS, the {size}'s size{part}, {threads_in_words()}",
            volumes / timing.seconds,
            "volumes/s",
            timing.peak_memory_mib,
            f"{NAME}, as many passes",
            volumes / timing.reference_seconds,
        )
    ]
