"""Pack all normalized volumes of one cohort into one file, which training reads."""

from pathlib import Path

import numpy as np

from brainuad.images.geometry import volume_in_scan
from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.images.slices import SliceStack, write_slices
from brainuad.images.volumes import Volume, read_labels, read_mask
from brainuad.io import job
from brainuad.io.errors import ScanError, SettingsError
from brainuad.io.rows import write_rows
from brainuad.preprocessing.chunks import read_left_out, scans_in
from brainuad.preprocessing.raw_scans import rows_by_name


def main(
    *, chunks: list[Path], subjects: Path, slices: Path, left_out: Path, on_broken: str
) -> None:
    """Stack the volumes as axial slices, and list the scans that the stages left out.

    `subjects` is the table with the subject and session of each scan. If `on_broken` is "stop",
    a scan that was left out is an error.
    """
    folders = sorted(
        (chunk / scan for chunk in chunks for scan in scans_in(chunk)),
        key=lambda folder: folder.name,
    )
    lost = [row for chunk in chunks for row in read_left_out(chunk)]
    if lost and on_broken == "stop":
        scan, stage, reason = lost[0]
        raise ScanError(f"{scan} could not be {stage}: {reason}")
    if not folders:
        raise SettingsError(
            f"{slices.stem}: no scan came through the preprocessing; "
            f"the first one left out: {lost[0].reason if lost else 'none given'}"
        )
    rows = rows_by_name(subjects)
    images, brain_masks, lesions, affines, voxels = [], [], [], [], []
    for folder in folders:
        # Splines overshoot below 0, which `read_volume` may take for a broken scan.
        image = read_mask(folder / "image.nii.gz")
        mask = read_labels(folder / "brain_mask.nii.gz", expected=(1,), grid=image)
        lesion = read_labels(folder / "lesions.nii.gz", expected=(LESION, IGNORED), grid=image)
        images.append(image.data.transpose(2, 0, 1))
        brain_masks.append(mask.data.transpose(2, 0, 1) > 0)
        lesions.append(lesion.data.transpose(2, 0, 1))
        affines.append(image.affine)
        voxels.append(native_voxel_ml(image, folder / "to_template.mat"))
    stack = SliceStack(
        images=np.stack(images).astype(np.float32, copy=False),
        brain_masks=np.stack(brain_masks),
        lesions=np.stack(lesions),
        subjects=np.array([rows[folder.name]["subject"] for folder in folders]),
        sessions=np.array([rows[folder.name]["session"] for folder in folders]),
        affines=np.stack(affines),
        native_voxel_ml=np.array(voxels),
    )
    write_slices(stack, slices)
    listed = [
        (rows[scan]["subject"], rows[scan]["session"], stage, reason)
        for scan, stage, reason in lost
    ]
    write_rows(["subject", "session", "stage", "reason"], listed, left_out)
    job.log(f"{slices}: {len(folders)} volumes, {len(lost)} left out")


def native_voxel_ml(image: Volume, matrix: Path) -> float:
    """A voxel's volume in the scan's own space; NaN if the scan came registered."""
    return image.voxel_ml * volume_in_scan(matrix) if matrix.exists() else float("nan")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            chunks=[Path(chunk) for chunk in snakemake.input.chunks],
            subjects=Path(snakemake.input.subjects),
            slices=Path(snakemake.output.slices),
            left_out=Path(snakemake.output.left_out),
            on_broken=snakemake.params.on_broken,
        )
