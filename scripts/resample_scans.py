"""Resample a chunk of raw scans and lesion masks to cubic voxels in RAS orientation."""

from pathlib import Path

from brainuad.images.volumes import write_volume
from brainuad.io import job
from brainuad.preprocessing.chunks import process_scans
from brainuad.preprocessing.raw_scans import rows_of_chunk
from brainuad.preprocessing.resampling import Resampling, resampling_of


def main(*, table: Path, output: Path, names: list[str], resampling: Resampling) -> None:
    """Write image and lesions of each scan of the chunk; without a mask the lesions are 0."""
    rows = rows_of_chunk(table, names, modality=resampling.modality)

    def resample(name: str, folder: Path) -> None:
        image, lesions = resampling.scan(rows[name])
        write_volume(image, folder / "image.nii.gz")
        write_volume(lesions, folder / "lesions.nii.gz")

    process_scans(names, output, stage="resampled", process=resample)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            table=Path(snakemake.input.subjects),
            output=Path(snakemake.output[0]),
            names=snakemake.params.names,
            resampling=resampling_of(snakemake.params),
        )
