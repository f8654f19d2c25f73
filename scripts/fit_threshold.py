"""Fit the threshold of one method on the validation subjects of one data set and fold."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.config.settings import settings_from
from brainuad.datasets.splits import subjects_of
from brainuad.evaluation.thresholds import (
    FEWEST_LESION_VOXELS,
    FEWEST_PATIENTS,
    best_threshold,
    rests_on_little,
)
from brainuad.images.mask_labels import LESION
from brainuad.images.slices import read_reconstructions, read_slices
from brainuad.io import job
from brainuad.io.errors import SettingsError
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
    """Write the threshold of the best Dice on the pooled validation voxels as JSON."""
    settings = settings_from(PostprocessingSettings, postprocessing)
    subjects = subjects_of(read_table(split), "validation")
    cases = cases_of(read_slices(slices), read_reconstructions(reconstructions), subjects)
    if not cases:
        raise SettingsError(
            f"{slices.stem}: none of the validation subjects came through the preprocessing, so "
            f"that no threshold can be fitted; {slices.with_suffix('')}_left_out.tsv says why"
        )
    voxels = []

    def lesions() -> Iterator[np.ndarray]:
        for case in cases:
            voxels.append(int(np.count_nonzero(case.lesions == LESION)))
            yield case.lesions

    threshold = best_threshold((anomaly_map_of(case, settings) for case in cases), lesions())
    content = {
        "threshold": threshold.value,
        "validation_dice": threshold.dice,
        "subjects": len(cases),
        "patients": int(np.count_nonzero(voxels)),
        "lesion_voxels": sum(voxels),
    }
    job.log(
        f"threshold {threshold.value:.6g}, Dice {threshold.dice:.4f}, {len(cases)} subjects, "
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
            reconstructions=Path(snakemake.input.reconstructions),
            output=Path(snakemake.output[0]),
            postprocessing=snakemake.params.postprocessing,
        )
