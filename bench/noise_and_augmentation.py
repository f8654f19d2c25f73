"""What simplex noise and augmentation cost, for a batch of the paper's size.

On a processor with one thread, as the reference.
"""

import numpy as np
import torch
from devices import device_of, threads_of, timed_on
from measuring import Row
from sizes import size_of

from brainuad.noise import NoiseSettings, SimplexNoise, permutation_tables, random_keys
from brainuad.settings import settings_from
from brainuad.training.augmentation import AugmentationSettings, augment

BATCH = 32
# opensimplex takes a tenth of a second or more for each field.
FIELDS_OF_REFERENCE = 2


def noise(*, device: str) -> list[Row]:
    """Fields with all octaves, from one key each, beside those of the package opensimplex."""
    paper = size_of("paper")
    place = device_of(device, paper.config)
    torch.set_num_threads(1)
    settings = settings_from(NoiseSettings, paper.config["methods"]["cddpm"]["settings"]["noise"])
    simplex = SimplexNoise(paper.grid[1:], settings, place.torch)
    keys = random_keys(BATCH, torch.Generator().manual_seed(0)).to(place.torch)

    def plain() -> None:
        from opensimplex import OpenSimplex

        rows, columns = (np.arange(float(length)) for length in paper.grid[1:])
        for seed in range(FIELDS_OF_REFERENCE):
            source = OpenSimplex(seed)
            for octave in range(settings.octaves):
                wavelength = settings.wavelength / 2**octave
                source.noise2array(columns / wavelength, rows / wavelength)

    timing = timed_on(device, lambda: simplex.fields(permutation_tables(keys)), plain)
    what = f"simplex noise of 96x96, {settings.octaves} octaves, {BATCH} at a time"
    return [
        Row(
            f"{what}{threads_of(device)}",
            BATCH / timing.seconds,
            "fields/s",
            timing.peak_memory_mib,
            "opensimplex",
            FIELDS_OF_REFERENCE / timing.reference_seconds,
        )
    ]


def augmentation(*, device: str) -> list[Row]:
    """Gamma, bias field, blur and ghosting with the paper's probabilities."""
    paper = size_of("paper")
    place = device_of(device, paper.config)
    torch.set_num_threads(1)
    transforms = paper.config["methods"]["cddpm"]["training"]["augmentation"]
    transforms = settings_from(AugmentationSettings, transforms)
    images = torch.rand(BATCH, 1, *paper.grid[1:], device=place.torch)

    def work() -> None:
        # The same slices are changed each time.
        augment(images, transforms, torch.Generator().manual_seed(0))

    timing = timed_on(device, work)
    what = f"augmentation of slices of 96x96, {BATCH} at a time{threads_of(device)}"
    return [Row(what, BATCH / timing.seconds, "slices/s", timing.peak_memory_mib)]
