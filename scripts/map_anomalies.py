"""Make the anomaly maps of one method and fold on one cohort: score scans, smooth the scores."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.config.evaluation import PostprocessingSettings, takes_own_map
from brainuad.config.settings import settings_from
from brainuad.datasets.partitions import VALIDATION, scans_of
from brainuad.evaluation import metrics
from brainuad.images.computed_volumes import (
    mean_of_samples,
    read_reconstructions,
    scans_with,
    write_anomaly_maps,
)
from brainuad.images.slices import Scan, largest_lesion_slice, read_slices
from brainuad.io import job
from brainuad.io.rows import read_rows
from brainuad.scores import load_score, needs_samples
from brainuad.scores.postprocess import anomaly_map
from brainuad.scores.scoring import Scoring, load_scoring


def main(
    *,
    slices: Path,
    split: Path,
    reconstructions: Path | None,
    output: Path,
    score: dict[str, Any],
    partitions: list[str],
    postprocessing: dict[str, Any],
    reference: Path | None = None,
    holds_reference: bool = False,
) -> None:
    """Write the anomaly maps of the scans of the partitions, see `write_anomaly_maps`.

    reconstructions  None for a method without a model
    reference        the pooled scores of healthy scans; None for a score that is not normative
    holds_reference  the reference was pooled from this cohort's own validation scans: a scan is
                     then compared with it without the scans of its own subject
    """
    settings = settings_from(PostprocessingSettings, postprocessing)
    stack, frame, chosen = read_slices(slices), read_rows(split), load_score(score)
    wanted = [name for partition in partitions for name in scans_of(frame, partition)]
    computed = read_reconstructions(reconstructions) if reconstructions else None
    # A leak that the config keeps is in two partitions, but is mapped once.
    names, all_samples = list(dict.fromkeys(wanted)), needs_samples(chosen)
    pairs = scans_with(stack, computed, names, all_samples=all_samples)
    pooled = None
    if holds_reference:
        validation = scans_of(frame, VALIDATION)
        pooled = scans_with(stack, computed, validation, all_samples=all_samples)
    write_anomaly_maps(
        output,
        [scan.name for scan in pairs.scans],
        mapped(
            pairs,
            load_scoring(score, reference, pooled),
            settings,
            pictured=computed is not None and not takes_own_map(score),
        ),
        shape=stack.images.shape[1:],
    )
    job.log(f"{len(pairs)} of {len(wanted)} scans, score {score['kind']}")


def mapped(
    pairs: Iterable[tuple[Scan, np.ndarray | None]],
    score: Scoring,
    settings: PostprocessingSettings,
    *,
    pictured: bool,
) -> Iterator[tuple[np.ndarray, dict[str, float], np.ndarray | None]]:
    """The anomaly map [S, H, W] of each scan, its measures before post-processing, and a picture.

    The picture is the reconstruction's axial slice [H, W] with the most lesion; None if it is not
    asked for.
    """
    for scan, reconstruction in pairs:
        brain_mask, lesions = scan.brain_mask, scan.lesions
        scores = score(scan, reconstruction)
        measures = {
            # Over the whole brain, including lesions and ignored voxels: a scan's score must not
            # depend on its lesion mask.
            metrics.SCAN_SCORE: metrics.mean_residual(scores, brain_mask),
            "l1_ratio": metrics.l1_ratio(scores, lesions, brain_mask),
            "l1_ratio_released": metrics.l1_ratio_released(scores, lesions),
        }
        picture = None
        if pictured:
            picture = mean_of_samples(reconstruction)[largest_lesion_slice(lesions)]
        yield anomaly_map(scores, brain_mask, settings), measures, picture


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            reconstructions=Path(given) if (given := snakemake.input.reconstructions) else None,
            reference=Path(given) if (given := snakemake.input.reference) else None,
            holds_reference=snakemake.params.holds_reference,
            output=Path(snakemake.output.anomaly_maps),
            score=snakemake.params.score,
            partitions=list(snakemake.params.partitions),
            postprocessing=snakemake.params.postprocessing,
        )
