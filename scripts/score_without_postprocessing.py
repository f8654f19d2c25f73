"""Score the segmentations of a method and fold with each step of post-processing left out in turn.

The reconstructions are those of all other tables; only what follows them changes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainuad.config.settings import settings_from
from brainuad.datasets.splits import subjects_of
from brainuad.evaluation import metrics
from brainuad.evaluation.thresholds import best_threshold
from brainuad.images.slices import read_reconstructions, read_slices
from brainuad.io import job
from brainuad.io.tables import read_table, write_table
from brainuad.scores.postprocess import (
    Cases,
    PostprocessingSettings,
    anomaly_map_of,
    cases_of,
    segment,
)
from brainuad.scores.postprocessing_variants import sharing_maps, variants_of


def main(
    *,
    slices: Path,
    split: Path,
    reconstructions: Path,
    output: Path,
    postprocessing: dict[str, Any],
    modality: str,
) -> None:
    """Write a tidy table of the test subjects: subject, modality, variant, metric, value."""
    variants = variants_of(settings_from(PostprocessingSettings, postprocessing))
    subjects, stack = read_table(split), read_slices(slices)
    reconstructed = read_reconstructions(reconstructions)
    validation = cases_of(stack, reconstructed, subjects_of(subjects, "validation"))
    test = cases_of(stack, reconstructed, subjects_of(subjects, "test"))
    rows = []
    for group in sharing_maps(variants):
        settings = next(iter(group.values()))
        # ASSUME: without a step the threshold is fitted anew, as it would be by whoever leaves the
        # step out; the paper does not say whether its thresholds were.
        threshold = best_threshold(
            maps_of(validation, settings), (case.lesions for case in validation)
        )
        job.log(f"{', '.join(group)}: threshold {threshold.value:.6g}, Dice {threshold.dice:.4f}")
        for case, scores in zip(test, maps_of(test, settings), strict=True):
            for variant, changed in group.items():
                prediction = segment(scores, threshold.value, changed)
                dice = metrics.dice(prediction, case.lesions)
                rows.append((case.subject, modality, variant, "dice", dice))
    columns = ["subject", "modality", "variant", "metric", "value"]
    write_table(pd.DataFrame(rows, columns=columns), output)


def maps_of(cases: Cases, settings: PostprocessingSettings) -> Iterator[np.ndarray]:
    """The anomaly map [S, H, W] of each case in turn."""
    for case in cases:
        yield anomaly_map_of(case, settings)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            reconstructions=Path(snakemake.input.reconstructions),
            output=Path(snakemake.output[0]),
            postprocessing=snakemake.params.postprocessing,
            modality=snakemake.params.modality,
        )
