"""Score one method on scans of one lesion set whose contrast was changed by a power law.

The intensities x become x^gamma (the paper's simulated contrast); the threshold is fitted
anew on the validation subjects under the same change.
"""

from pathlib import Path
from typing import Any

from brainuad.compute.device import DeviceSettings, prepare_device
from brainuad.config.settings import settings_from
from brainuad.evaluation.sweeps import Reconstructor, score_anew
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.tables import read_table, write_table
from brainuad.models import load_method
from brainuad.scores.postprocess import PostprocessingSettings

COLUMNS = ["subject", "modality", "gamma", "metric", "value"]


def main(
    *,
    slices: Path,
    split: Path,
    weights: Path,
    output: Path,
    timesteps: list[int],
    gamma: float,
    postprocessing: dict[str, Any],
    modality: str,
    seed: int,
    device: dict[str, Any],
    threads: int,
) -> None:
    """Write a tidy table of the test subjects: subject, modality, gamma, metric, value."""
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    method = load_method(weights, chosen_device)
    reconstructor = Reconstructor(method, seed, chosen_device)
    stack = read_slices(slices)
    reconstructor.compile_if_it_pays(
        stack.images.shape[1:], volumes=len(stack.images), repeats=len(timesteps)
    )
    scores = score_anew(
        reconstructor,
        stack,
        read_table(split),
        timesteps=timesteps,
        gamma=gamma,
        settings=settings_from(PostprocessingSettings, postprocessing),
    )
    write_table(scores.assign(modality=modality, gamma=gamma)[COLUMNS], output)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            weights=Path(snakemake.input.weights),
            output=Path(snakemake.output[0]),
            timesteps=list(snakemake.params.timesteps),
            gamma=snakemake.params.gamma,
            postprocessing=snakemake.params.postprocessing,
            modality=snakemake.params.modality,
            seed=snakemake.params.seed,
            device=snakemake.params.device,
            threads=snakemake.threads,
        )
