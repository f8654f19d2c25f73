"""Score the segmentations of a method and fold with each step of post-processing left out in turn.

The reconstructions are the same as in all other tables; only the later steps change.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.datasets.partitions import TEST, VALIDATION, scans_of
from brainuad.evaluation import metrics
from brainuad.evaluation.thresholds import best_threshold
from brainuad.images.computed_volumes import read_reconstructions, scans_with
from brainuad.images.slices import Scan, read_slices
from brainuad.io import job
from brainuad.io.rows import read_rows, write_rows
from brainuad.scores.postprocess import anomaly_map, segment
from brainuad.scores.postprocessing_variants import sharing_maps, variants_of
from brainuad.scores.scoring import Scoring, load_scoring


def main(
    *,
    slices: Path,
    split: Path,
    reconstructions: Path | None,
    output: Path,
    score: dict[str, Any],
    postprocessing: dict[str, Any],
    modality: str,
    reference: Path | None = None,
) -> None:
    """Write a tidy table of the test scans: subject, session, modality, variant, metric, value.

    reconstructions  None for a method without a model
    reference        the pooled scores of healthy scans; None for a score that is not normative
    """
    variants = variants_of(settings_from(PostprocessingSettings, postprocessing))
    frame, stack, chosen = read_rows(split), read_slices(slices), load_scoring(score, reference)
    computed = read_reconstructions(reconstructions) if reconstructions else None
    validation, test = (
        scans_with(stack, computed, scans_of(frame, part), all_samples=chosen.needs_samples)
        for part in (VALIDATION, TEST)
    )
    rows = []
    for group in sharing_maps(variants):
        settings = next(iter(group.values()))
        # ASSUME: without a step the threshold is fitted again, as for a method that never had this
        # step; the paper does not say whether it did so.
        threshold = best_threshold(
            (scores, scan.lesions) for scan, scores in mapped(validation, chosen, settings)
        )
        job.log(f"{', '.join(group)}: threshold {threshold.value:.6g}, Dice {threshold.dice:.4f}")
        for scan, scores in mapped(test, chosen, settings):
            lesions = scan.lesions
            for variant, changed in group.items():
                prediction = segment(scores, threshold.value, changed)
                dice = metrics.dice(prediction, lesions)
                rows.append((scan.subject, scan.session, modality, variant, "dice", dice))
    columns = ["subject", "session", "modality", "variant", "metric", "value"]
    write_rows(columns, rows, output)


def mapped(
    pairs: Iterable[tuple[Scan, np.ndarray | None]],
    score: Scoring,
    settings: PostprocessingSettings,
) -> Iterator[tuple[Scan, np.ndarray]]:
    """Each scan in turn with its anomaly map [S, H, W]."""
    for scan, reconstruction in pairs:
        yield scan, anomaly_map(score(scan, reconstruction), scan.brain_mask, settings)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            reconstructions=Path(given) if (given := snakemake.input.reconstructions) else None,
            reference=Path(given) if (given := snakemake.input.reference) else None,
            output=Path(snakemake.output.scores),
            score=snakemake.params.score,
            postprocessing=snakemake.params.postprocessing,
            modality=snakemake.params.modality,
        )
