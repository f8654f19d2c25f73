"""Score the perceptual distance (LPIPS) of healthy test scans and their reconstructions."""

from pathlib import Path
from typing import Any

from brainuad.compute.device import prepare_device
from brainuad.config.device import DeviceSettings, device_of
from brainuad.config.settings import settings_from
from brainuad.datasets.downloads import check_sha256
from brainuad.datasets.partitions import TEST, scans_of
from brainuad.evaluation.perceptual import load_network, perceptual_distance
from brainuad.images.computed_volumes import read_reconstructions, scans_with
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.progress import progress_bar
from brainuad.io.rows import read_rows, write_rows


def main(
    *,
    slices: Path,
    split: Path,
    reconstructions: Path,
    network: Path,
    output: Path,
    modality: str,
    sha256: str | None,
    device: dict[str, Any],
    threads: int,
) -> None:
    """Write a tidy table: subject, session, modality, metric (lpips), value.

    `sha256` is that of the network's file, None if it is not known.
    """
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    job.log(f"{network}: SHA-256 {check_sha256(network, sha256, name=str(network))}")
    chosen_network = load_network(network, chosen_device.torch)
    names = scans_of(read_rows(split), TEST)
    pairs = scans_with(read_slices(slices), read_reconstructions(reconstructions), names)
    rows = []
    for scan, reconstruction in progress_bar(pairs, total=len(pairs), label="LPIPS"):
        value = perceptual_distance(chosen_network, scan.image, reconstruction)
        rows.append((scan.subject, scan.session, modality, "lpips", value))
    job.log(f"{len(pairs)} test scans scored")
    columns = ["subject", "session", "modality", "metric", "value"]
    write_rows(columns, rows, output)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            reconstructions=Path(snakemake.input.reconstructions),
            network=Path(snakemake.params.network[0]),
            output=Path(snakemake.output.scores),
            modality=snakemake.params.modality,
            sha256=snakemake.params.sha256,
            device=device_of(snakemake.config),
            threads=snakemake.threads,
        )
