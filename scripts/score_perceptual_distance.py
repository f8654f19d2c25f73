"""Score how unlike their scans the reconstructions of healthy test subjects look to a network."""

from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.compute.device import DeviceSettings, prepare_device
from brainuad.config.settings import settings_from
from brainuad.datasets.downloads import check_sha256
from brainuad.datasets.splits import subjects_of
from brainuad.evaluation.perceptual import load_network, perceptual_distance
from brainuad.images.slices import read_reconstructions, read_slices
from brainuad.io import job
from brainuad.io.progress import progress_bar
from brainuad.io.tables import read_table, write_table
from brainuad.scores.postprocess import cases_of


def main(
    *,
    slices: list[Path],
    split: Path,
    reconstructions: list[Path],
    network: Path,
    output: Path,
    modalities: list[str],
    sha256: str | None,
    device: dict[str, Any],
    threads: int,
) -> None:
    """Write a tidy table: subject, modality, metric (lpips), value.

    `slices`, `reconstructions` and `modalities` are parallel, an entry per modality. `sha256` is
    that of the network's file, None where it is not known.
    """
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    job.log(f"{network}: SHA-256 {check_sha256(network, sha256, name=str(network))}")
    chosen_network = load_network(network, chosen_device.torch)
    subjects = subjects_of(read_table(split), "test")
    rows = []
    for stack, reconstructed, modality in zip(slices, reconstructions, modalities, strict=True):
        cases = cases_of(read_slices(stack), read_reconstructions(reconstructed), subjects)
        for case in progress_bar(cases, total=len(cases), label=f"LPIPS, {modality}"):
            value = perceptual_distance(chosen_network, case.image, case.reconstruction)
            rows.append((case.subject, modality, "lpips", value))
        job.log(f"{len(cases)} test subjects scored in {modality}")
    write_table(pd.DataFrame(rows, columns=["subject", "modality", "metric", "value"]), output)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=[Path(path) for path in snakemake.input.slices],
            split=Path(snakemake.input.split),
            reconstructions=[Path(path) for path in snakemake.input.reconstructions],
            network=Path(snakemake.params.network[0]),
            output=Path(snakemake.output[0]),
            modalities=snakemake.params.modalities,
            sha256=snakemake.params.sha256,
            device=snakemake.params.device,
            threads=snakemake.threads,
        )
