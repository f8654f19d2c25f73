"""Strip the skulls of a chunk of resampled scans with HD-BET 2."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from brainuad.config.device import DeviceSettings, device_of
from brainuad.config.settings import settings_from
from brainuad.io import job
from brainuad.preprocessing.chunks import keep, process_chunk
from brainuad.preprocessing.hdbet2 import find_brain, load_predictor
from brainuad.preprocessing.skull import strip_scan


def main(
    *,
    scans: Path,
    weights: Path,
    output: Path,
    brain_masks: Path,
    device: dict[str, Any],
    mirroring: bool | None,
    threads: int,
    children: Sequence[str] = (),
) -> None:
    """Write masked image, brain mask and lesions of each scan of the chunk; keep the brain masks.

    Scans that are not named in `children` must have the brain volume of an adult. The network is
    loaded once, and predicts the scans one after the other in this process: it uses the threads of
    the rule, and shares no files with other jobs.
    """
    predictor = load_predictor(
        weights,
        device=settings_from(DeviceSettings, device),
        threads=threads,
        mirroring=mirroring,
    )
    process_chunk(
        scans,
        output,
        stage="stripped",
        process=partial(
            strip_scan, mask_of=partial(find_brain, predictor=predictor), children=children
        ),
    )
    keep(output, "brain_mask.nii.gz", brain_masks)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scans=Path(snakemake.input.scans),
            weights=Path(snakemake.input.weights),
            output=Path(snakemake.output.scans),
            brain_masks=Path(snakemake.output.brain_masks),
            threads=snakemake.threads,
            # HD-BET has a precision of its own, and is not compiled.
            device={**device_of(snakemake.config), "precision": "fp32", "compile": False},
            mirroring=snakemake.params.mirroring,
            children=snakemake.params.children,
        )
