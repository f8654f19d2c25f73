"""Write the anomaly maps of the test subjects as NIfTI volumes that any viewer opens."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from brainuad.config.settings import settings_from
from brainuad.datasets.splits import subjects_of
from brainuad.images.slices import read_reconstructions, read_slices
from brainuad.io import job
from brainuad.io.tables import read_table
from brainuad.scores.postprocess import PostprocessingSettings, anomaly_map_of, cases_of


def main(
    *,
    slices: Path,
    split: Path,
    reconstructions: Path,
    output: Path,
    postprocessing: dict[str, Any],
) -> None:
    """Fill the directory `output` with {subject}_anomaly.nii.gz, float32, on the final grid."""
    settings = settings_from(PostprocessingSettings, postprocessing)
    subjects = subjects_of(read_table(split), "test")
    cases = cases_of(read_slices(slices), read_reconstructions(reconstructions), subjects)
    with job.replacing(output) as folder:
        folder.mkdir()
        for case in cases:
            scores = anomaly_map_of(case, settings)
            # A slice stack is [z, x, y], a volume [x, y, z].
            image = nib.Nifti1Image(scores.transpose(1, 2, 0), case.affine, dtype=np.float32)
            image.header.set_xyzt_units("mm")
            nib.save(image, folder / f"{case.subject}_anomaly.nii.gz")
    job.log(f"{len(cases)} anomaly maps written")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            reconstructions=Path(snakemake.input.reconstructions),
            output=Path(snakemake.output[0]),
            postprocessing=snakemake.params.postprocessing,
        )
