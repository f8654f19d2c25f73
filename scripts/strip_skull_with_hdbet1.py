"""Strip the skulls of a chunk of resampled scans with HD-BET 1."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from brainuad.compute.device import prepare_device
from brainuad.config.device import DeviceSettings, device_of
from brainuad.config.settings import settings_from
from brainuad.io import job
from brainuad.preprocessing.chunks import keep, process_chunk
from brainuad.preprocessing.hdbet1 import NETWORKS, find_brain, load_networks
from brainuad.preprocessing.skull import strip_scan


def main(
    *,
    scans: Path,
    output: Path,
    brain_masks: Path,
    device: dict[str, Any],
    networks: int | None,
    mirroring: bool | None,
    threads: int,
    children: Sequence[str] = (),
) -> None:
    """Write masked image, brain mask and lesions of each scan of the chunk; keep the brain masks.

    networks, mirroring  None for all networks with mirroring on a GPU, as in the paper, and for one
                         network without mirroring on a CPU
    children             all other scans must have the brain volume of an adult
    """
    settings = settings_from(DeviceSettings, device)
    on_gpu = settings.name == "cuda"
    if networks is None:
        networks = len(NETWORKS) if on_gpu else 1
    if mirroring is None:
        mirroring = on_gpu
    loaded = load_networks(networks, device=prepare_device(settings, threads).torch)
    job.log(f"HD-BET 1 on {settings.name}, {networks} of its networks, mirroring: {mirroring}")
    mask_of = partial(find_brain, networks=loaded, mirroring=mirroring)
    process_chunk(
        scans,
        output,
        stage="stripped",
        process=partial(strip_scan, mask_of=mask_of, children=children),
    )
    keep(output, "brain_mask.nii.gz", brain_masks)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scans=Path(snakemake.input.scans),
            output=Path(snakemake.output.scans),
            brain_masks=Path(snakemake.output.brain_masks),
            threads=snakemake.threads,
            # HD-BET computes in float32, and is not compiled.
            device={**device_of(snakemake.config), "precision": "fp32", "compile": False},
            networks=snakemake.params.networks,
            mirroring=snakemake.params.mirroring,
            children=snakemake.params.children,
        )
