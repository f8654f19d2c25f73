"""A batch of stripped scans in the space of the atlas, and the transforms that took them there."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.config.settings import settings_from
from brainuad.images.geometry import to_ras
from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.images.volumes import Volume, read_labels, read_volume, write_volume
from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.preprocessing.chunks import process_batch
from brainuad.preprocessing.registration import (
    LinearRegistration,
    register_linear,
    warp,
    warp_labels,
)


def main(*, scans: Path, atlas: Path, output: Path, settings: dict[str, Any]) -> None:
    """Write image, brain mask, lesions and to_atlas.mat of each subject of the batch."""
    # The later stages and the slices cut along the axes of RAS, however the atlas is stored.
    fixed = to_ras(read_volume(Path(atlas)))
    process_batch(
        scans,
        output,
        stage="registered",
        process=partial(
            register_scan, atlas=fixed, settings=settings_from(LinearRegistration, settings)
        ),
    )


def register_scan(
    source: Path, target: Path, *, atlas: Volume, settings: LinearRegistration
) -> None:
    """One scan: to_atlas.mat maps atlas points to scan points (ITK, LPS mm)."""
    scan = read_volume(source / "image.nii.gz")
    if not np.allclose(scan.spacing, atlas.spacing, atol=1e-3):
        raise SettingsError(
            f"atlas: its voxels of {atlas.spacing.round(3)} mm are not those of "
            f"preprocessing.spacing, {scan.spacing.round(3)} mm; give it at that spacing, since "
            "the final grid counts voxels"
        )
    matrix = target / "to_atlas.mat"
    register_linear(atlas, scan, settings=settings, matrix=matrix)
    image = warp(scan, atlas, transforms=[matrix], labels=False)
    write_volume(Volume(image, atlas.affine), target / "image.nii.gz")
    for name, expected in (("brain_mask", (1,)), ("lesions", (LESION, IGNORED))):
        labels = read_labels(source / f"{name}.nii.gz", expected=expected, grid=scan)
        warped = warp_labels(
            labels, atlas, transforms=[matrix], interpolation=settings.label_interpolation
        )
        write_volume(Volume(warped, atlas.affine), target / f"{name}.nii.gz")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scans=Path(snakemake.input.scans),
            atlas=Path(snakemake.input.atlas),
            output=Path(snakemake.output[0]),
            **snakemake.params,
        )
