"""Fit the threshold of one method on the validation subjects of one cohort and fold."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from brainuad.datasets.partitions import VALIDATION, scans_of
from brainuad.evaluation.thresholds import (
    FEWEST_LESION_VOXELS,
    FEWEST_PATIENTS,
    best_threshold,
    rests_on_little,
)
from brainuad.images.computed_volumes import read_anomaly_maps, scans_with
from brainuad.images.mask_labels import LESION
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.io.rows import read_rows


def main(*, slices: Path, split: Path, anomaly_maps: Path, output: Path) -> None:
    """Write the threshold of the best Dice on the pooled validation voxels as JSON."""
    # ASSUME: a threshold is fitted on the pooled voxels of all validation scans, so that a subject
    # of several sessions weighs by their number, as one of large lesions does by their size.
    names = scans_of(read_rows(split), VALIDATION)
    pairs = scans_with(read_slices(slices), read_anomaly_maps(anomaly_maps), names)
    if not pairs:
        raise SettingsError(
            f"{slices.stem}: none of the validation scans came through the preprocessing, so "
            f"that no threshold can be fitted; {slices.with_suffix('')}_left_out.tsv says why"
        )
    voxels = []

    def volumes() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for scan, anomaly_map in pairs:
            lesions = scan.lesions
            voxels.append(int(np.count_nonzero(lesions == LESION)))
            yield anomaly_map, lesions

    threshold = best_threshold(volumes())
    content = {
        "threshold": threshold.value,
        "validation_dice": threshold.dice,
        "subjects": len({scan.subject for scan in pairs.scans}),
        "patients": len(
            {scan.subject for scan, count in zip(pairs.scans, voxels, strict=True) if count}
        ),
        "lesion_voxels": sum(voxels),
    }
    job.log(
        f"threshold {threshold.value:.6g}, Dice {threshold.dice:.4f}, {len(pairs)} scans, "
        f"{content['patients']} of them with a lesion, {content['lesion_voxels']} lesion voxels"
    )
    if rests_on_little(content["patients"], content["lesion_voxels"]):
        job.log(
            f"warning: a threshold from fewer than {FEWEST_PATIENTS} patients or "
            f"{FEWEST_LESION_VOXELS} lesion voxels says little; raise the data set's `validation`"
        )
    with job.replacing(output) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            anomaly_maps=Path(snakemake.input.anomaly_maps),
            output=Path(snakemake.output.threshold),
        )
