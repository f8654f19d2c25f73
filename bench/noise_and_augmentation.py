"""The cost of simplex noise and augmentation for a batch of the paper's size, on one thread.

The references run on one thread too.
"""

import numpy as np
import torch
from measuring import Row, side_by_side
from sizes import size_of

from brainuad.config.kinds.diffusion import NoiseSettings
from brainuad.config.models import AugmentationSettings
from brainuad.config.settings import settings_from
from brainuad.diffusion.noise import SimplexNoise, permutation_tables
from brainuad.io.seeds import random_seeds
from brainuad.training.augmentation import augment

BATCH = 32
# opensimplex takes at least a tenth of a second for each field.
FIELDS_OF_REFERENCE = 2


def noise() -> list[Row]:
    """Noise fields with all octaves, one key each, compared with the package opensimplex."""
    paper = size_of("paper")
    torch.set_num_threads(1)
    settings = settings_from(NoiseSettings, paper.config["models"]["cddpm"]["settings"]["noise"])
    simplex = SimplexNoise(paper.grid[1:], settings, torch.device("cpu"))
    keys = random_seeds(BATCH, torch.Generator().manual_seed(0))

    def plain() -> None:
        from opensimplex import OpenSimplex

        rows, columns = (np.arange(float(length)) for length in paper.grid[1:])
        for seed in range(FIELDS_OF_REFERENCE):
            source = OpenSimplex(seed)
            for octave in range(settings.octaves):
                wavelength = settings.wavelength / 2**octave
                source.noise2array(columns / wavelength, rows / wavelength)

    timing = side_by_side(lambda: simplex.fields(permutation_tables(keys)), plain)
    what = f"simplex noise of 96x96, {settings.octaves} octaves, {BATCH} at a time"
    return [
        Row(
            f"{what}, 1 thread",
            BATCH / timing.seconds,
            "fields/s",
            timing.peak_memory_mib,
            "opensimplex",
            FIELDS_OF_REFERENCE / timing.reference_seconds,
        )
    ]


def augmentation() -> list[Row]:
    """Gamma, bias field, blur and ghosting, with the paper's probabilities."""
    paper = size_of("paper")
    torch.set_num_threads(1)
    transforms = paper.config["models"]["cddpm"]["training"]["augmentation"]
    transforms = settings_from(AugmentationSettings, transforms)
    images = torch.rand(BATCH, 1, *paper.grid[1:])

    def work() -> None:
        # The same slices are augmented each time.
        augment(images, transforms, torch.Generator().manual_seed(0))

    timing = side_by_side(work)
    what = f"augmentation of slices of 96x96, {BATCH} at a time, 1 thread"
    return [Row(what, BATCH / timing.seconds, "slices/s", timing.peak_memory_mib)]
