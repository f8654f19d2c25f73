"""Fit the threshold of one method on the validation subjects of one data set and fold."""

import json
from pathlib import Path
from typing import Any

from brainuad import job
from brainuad.errors import SettingsError
from brainuad.evaluation.postprocess import PostprocessingSettings, anomaly_map_of, cases_of
from brainuad.evaluation.thresholds import best_threshold
from brainuad.settings import settings_from
from brainuad.slices import read_reconstructions, read_slices
from brainuad.splits import subjects_of
from brainuad.tables import read_table


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
    maps = (anomaly_map_of(case, settings) for case in cases)
    threshold = best_threshold(maps, (case.lesions for case in cases))
    job.log(f"threshold {threshold.value:.6g}, Dice {threshold.dice:.4f}, {len(cases)} subjects")
    content = {
        "threshold": threshold.value,
        "validation_dice": threshold.dice,
        "subjects": len(cases),
    }
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
