"""What one method calls anomalous in healthy brains, and what 1 % of their voxels exceed.

The volumes are those of the test subjects, all of which are false; that threshold comes from the
validation subjects.
"""

import json
from pathlib import Path
from typing import Any

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.datasets.partitions import TEST, VALIDATION, scans_of
from brainuad.evaluation.metrics import PREDICTED_VOLUME
from brainuad.evaluation.thresholds import healthy_scores, healthy_threshold, scores_at
from brainuad.images.computed_volumes import read_anomaly_maps, scans_with
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.rows import read_rows, write_rows


def main(
    *,
    slices: Path,
    split: Path,
    anomaly_maps: Path,
    thresholds: list[Path],
    scores: Path,
    threshold: Path,
    fitted_on: list[str],
    modality: str,
    postprocessing: dict[str, Any],
) -> None:
    """Write the volumes as a tidy table (subject, session, modality, fitted_on, metric, value).

    And as JSON the threshold of healthy voxels, with their shares above the fitted thresholds.
    `fitted_on` names the lesion set of each of the `thresholds`.
    """
    settings = settings_from(PostprocessingSettings, postprocessing)
    fitted = {
        name: json.loads(path.read_text(encoding="utf-8"))["threshold"]
        for name, path in zip(fitted_on, thresholds, strict=True)
    }
    frame, stack = read_rows(split), read_slices(slices)
    maps = read_anomaly_maps(anomaly_maps)
    tested = scans_with(stack, maps, scans_of(frame, TEST))
    rows = [
        (scan.subject, scan.session, modality, name, metric, value)
        for scan, anomaly_map in tested
        for name, metric, value in scores_at(
            anomaly_map, scan.lesions, scan.voxel_ml, thresholds=fitted, settings=settings
        )
        if metric == PREDICTED_VOLUME
    ]
    columns = ["subject", "session", "modality", "fitted_on", "metric", "value"]
    write_rows(columns, rows, scores)

    validated = scans_with(stack, maps, scans_of(frame, VALIDATION))
    healthy = healthy_scores((anomaly_map, scan.brain_mask) for scan, anomaly_map in validated)
    subjects = len({scan.subject for scan in validated.scans})
    content = healthy_threshold(healthy, subjects=subjects) | {
        "share_above": {name: healthy.share_above(value) for name, value in fitted.items()}
    }
    with job.replacing(threshold) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    job.log(
        f"{len(tested)} test scans scored at {len(fitted)} thresholds; that of healthy voxels "
        f"is {content['threshold']:.6g}, from {len(validated)} validation scans"
    )


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            anomaly_maps=Path(snakemake.input.anomaly_maps),
            thresholds=[Path(path) for path in snakemake.input.thresholds],
            scores=Path(snakemake.output.scores),
            threshold=Path(snakemake.output.threshold),
            fitted_on=list(snakemake.params.fitted_on),
            modality=snakemake.params.modality,
            postprocessing=snakemake.params.postprocessing,
        )
