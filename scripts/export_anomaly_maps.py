"""Write the anomaly maps of the test scans as NIfTI volumes that any viewer opens."""

from pathlib import Path

import nibabel as nib
import numpy as np

from brainuad.datasets.splits import TEST, scans_of
from brainuad.images.computed_volumes import read_anomaly_maps, scans_with
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.tables import read_table


def main(*, slices: Path, split: Path, anomaly_maps: Path, output: Path) -> None:
    """Fill the directory `output` with {scan}_anomaly.nii.gz, float32, on the final grid."""
    names = scans_of(read_table(split), TEST)
    pairs = scans_with(read_slices(slices), read_anomaly_maps(anomaly_maps), names)
    with job.replacing(output) as folder:
        folder.mkdir()
        for scan, anomaly_map in pairs:
            # A slice stack is [z, x, y], a volume [x, y, z].
            volume = anomaly_map.transpose(1, 2, 0)
            image = nib.Nifti1Image(volume, scan.affine, dtype=np.float32)
            image.header.set_xyzt_units("mm")
            nib.save(image, folder / f"{scan.name}_anomaly.nii.gz")
    job.log(f"{len(pairs)} anomaly maps written")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            anomaly_maps=Path(snakemake.input.anomaly_maps),
            output=Path(snakemake.output.maps),
        )
