"""Register a chunk of stripped scans to the template, and keep the transforms."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.config.preprocessing import LinearRegistration
from brainuad.config.settings import settings_from
from brainuad.images.geometry import to_ras
from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.images.volumes import Volume, read_labels, read_volume, write_volume
from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.preprocessing.chunks import keep, process_chunk
from brainuad.preprocessing.registration import register_linear, warp, warp_labels

TRANSFORM = "to_template.mat"


def main(
    *, scans: Path, template: Path, output: Path, transforms: Path, settings: dict[str, Any]
) -> None:
    """Write image, masks and to_template.mat of each scan of the chunk; transforms are kept."""
    # The later stages crop and slice along RAS axes, even if the template is stored otherwise.
    fixed = to_ras(read_volume(template))
    process_chunk(
        scans,
        output,
        stage="registered",
        process=partial(
            register_scan, template=fixed, settings=settings_from(LinearRegistration, settings)
        ),
    )
    keep(output, TRANSFORM, transforms)


def register_scan(
    source: Path, target: Path, *, template: Volume, settings: LinearRegistration
) -> None:
    """Register one scan: to_template.mat maps template points to scan points (ITK, LPS mm)."""
    scan = read_volume(source / "image.nii.gz")
    if not np.allclose(scan.spacing, template.spacing, atol=1e-3):
        raise SettingsError(
            f"template: its voxels of {template.spacing.round(3)} mm are not those of "
            f"preprocessing.spacing, {scan.spacing.round(3)} mm; give it at that spacing, since "
            "the final grid counts voxels"
        )
    matrix = target / TRANSFORM
    register_linear(template, scan, settings=settings, matrix=matrix)
    image = warp(scan, template, transforms=[matrix], labels=False)
    write_volume(Volume(image, template.affine), target / "image.nii.gz")
    for name, expected in (("brain_mask", (1,)), ("lesions", (LESION, IGNORED))):
        labels = read_labels(source / f"{name}.nii.gz", expected=expected, grid=scan)
        warped = warp_labels(
            labels, template, transforms=[matrix], interpolation=settings.label_interpolation
        )
        write_volume(Volume(warped, template.affine), target / f"{name}.nii.gz")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scans=Path(snakemake.input.scans),
            template=Path(snakemake.input.template),
            output=Path(snakemake.output.scans),
            transforms=Path(snakemake.output.transforms),
            settings=snakemake.params.settings,
        )
