"""Check the template that every scan is registered to, and write it in RAS orientation."""

from pathlib import Path

import nibabel as nib
import numpy as np

from brainuad.datasets.downloads import check_sha256
from brainuad.images.geometry import to_ras
from brainuad.images.volumes import Volume, read_volume, write_volume
from brainuad.io import job
from brainuad.io.errors import ScanError, SettingsError
from brainuad.io.rows import write_rows
from brainuad.preprocessing.template import check_brain


def main(
    *, image: Path, template: Path, facts: Path, spacing: float, sha256: str | None, source: str
) -> None:
    """Write the template as a 3-D float32 NIfTI in RAS, and a table of what it is.

    `source` says in words where it comes from. Raises SettingsError, one line that names the file,
    if the checksum differs, the file cannot be used, or the image is not a stripped T1 brain with
    voxels of `spacing` mm.
    """
    found = check_sha256(image, sha256, name=f"template.sha256: {image}")
    try:
        stored = read_volume(image)
    except ScanError as error:
        raise SettingsError(f"template.image: {error}") from error
    brain = check_brain(stored, spacing=spacing, name=f"template.image: {image}")
    upright = to_ras(stored)
    with job.replacing(template) as temporary:
        write_volume(Volume(upright.data.astype(np.float32), upright.affine), temporary)
    rows = {
        "source": source,
        "sha256": found,
        "orientation": "".join(nib.aff2axcodes(stored.affine)),
        "shape": " x ".join(str(size) for size in stored.data.shape),
        "voxel_size_mm": " x ".join(f"{edge:.4g}" for edge in stored.spacing),
        "modality": brain.modality,
        "brain_ml": f"{brain.volume:.0f}",
    }
    write_rows(["name", "value"], rows.items(), facts)
    job.log("\n".join(f"{name}: {value}" for name, value in rows.items()))


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            image=Path(snakemake.params.image[0]),
            template=Path(snakemake.output.template),
            facts=Path(snakemake.output.facts),
            spacing=snakemake.params.spacing,
            sha256=snakemake.params.sha256,
            source=snakemake.params.source,
        )
