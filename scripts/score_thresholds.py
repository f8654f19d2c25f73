"""Score the test subjects of one lesion set at the thresholds of all of them of its modality.

And at the best threshold on these test subjects.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainuad.config.settings import settings_from
from brainuad.datasets.splits import subjects_of
from brainuad.evaluation.calibration import ON_TEST, best_threshold_on_test, scores_at
from brainuad.images.slices import read_reconstructions, read_slices
from brainuad.io import job
from brainuad.io.tables import read_table, write_table
from brainuad.scores.postprocess import (
    Case,
    Cases,
    PostprocessingSettings,
    anomaly_map_of,
    cases_of,
)


def main(
    *,
    slices: Path,
    split: Path,
    reconstructions: Path,
    thresholds: list[Path],
    output: Path,
    fitted_on: list[str],
    modality: str,
    postprocessing: dict[str, Any],
) -> None:
    """Write a tidy table: subject, modality, fitted_on, metric, value.

    `fitted_on` names the data set of each threshold; "test" is the best one on these subjects.
    """
    settings = settings_from(PostprocessingSettings, postprocessing)
    values = {
        name: json.loads(path.read_text(encoding="utf-8"))["threshold"]
        for name, path in zip(fitted_on, thresholds, strict=True)
    }
    subjects = subjects_of(read_table(split), "test")
    cases = cases_of(read_slices(slices), read_reconstructions(reconstructions), subjects)
    # The maps are made twice: those of a whole test set would fill the memory.
    best = best_threshold_on_test(
        (scores, case.lesions) for case, scores in maps_of(cases, settings)
    )
    job.log(f"best threshold on test {best.value:.6g}, Dice {best.dice:.4f}")
    values[ON_TEST] = best.value
    rows = [
        (case.subject, modality, *row)
        for case, scores in maps_of(cases, settings)
        for row in scores_at(
            scores, case.lesions, case.voxel_ml, thresholds=values, settings=settings
        )
    ]
    table = pd.DataFrame(rows, columns=["subject", "modality", "fitted_on", "metric", "value"])
    write_table(table, output)
    job.log(f"{len(cases)} test subjects scored at {len(values)} thresholds")


def maps_of(cases: Cases, settings: PostprocessingSettings) -> Iterator[tuple[Case, np.ndarray]]:
    """Each case with its anomaly map [S, H, W], one at a time."""
    for case in cases:
        yield case, anomaly_map_of(case, settings)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            reconstructions=Path(snakemake.input.reconstructions),
            thresholds=[Path(path) for path in snakemake.input.thresholds],
            output=Path(snakemake.output[0]),
            fitted_on=list(snakemake.params.fitted_on),
            modality=snakemake.params.modality,
            postprocessing=snakemake.params.postprocessing,
        )
