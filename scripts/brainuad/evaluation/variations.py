"""Fit a threshold and score test scans, for a varied contrast or timestep.

The reconstructions of these experiments are used immediately and not stored, so that memory does
not grow with the data set.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from brainuad.compute.device import Device
from brainuad.config.evaluation import PostprocessingSettings
from brainuad.datasets.partitions import TEST, VALIDATION, scans_of
from brainuad.evaluation import metrics
from brainuad.evaluation.thresholds import best_threshold
from brainuad.images.computed_volumes import mean_of_samples
from brainuad.images.slices import Scan, SliceStack
from brainuad.inference.reconstruction import compile_if_it_pays, reconstruct_scans
from brainuad.io.job import log
from brainuad.models import Model
from brainuad.scores import device_postprocess, postprocess
from brainuad.scores.postprocess import segment
from brainuad.scores.scoring import Scoring


def fit_and_score(
    model: Model | None,
    stack: SliceStack,
    split: Sequence[Mapping[str, str]],
    *,
    timesteps: Sequence[int],
    seed: int,
    device: Device,
    score: Scoring,
    settings: PostprocessingSettings,
    samples: int = 1,
) -> list[tuple[str, str, str, float]]:
    """Dice and AUPRC of a lesion set's test scans: rows of subject, session, metric, value.

    The threshold is fitted on the validation subjects of the same stack, at the same timesteps. A
    method without a model (None) is scored without reconstructions. Raises SettingsError if no
    threshold can be fitted.
    """
    if model is not None:
        shape, volumes = stack.images.shape[1:], len(stack.images)
        compile_if_it_pays(
            model,
            shape,
            volumes=volumes,
            timesteps=len(timesteps),
            samples=samples,
            device=device,
        )

    def mapped(partition: str) -> Iterator[tuple[Scan, np.ndarray]]:
        names = scans_of(split, partition)
        if model is None:
            pairs = ((scan, None) for scan in stack.scans(names))
        else:
            pairs = reconstruct_scans(
                model,
                stack,
                names,
                timesteps=timesteps,
                seed=seed,
                device=device,
                samples=samples,
            )
        for scan, reconstruction in pairs:
            if reconstruction is not None and not score.needs_samples:
                reconstruction = mean_of_samples(reconstruction)
            scores = score(scan, reconstruction)
            yield scan, map_on_device(scores, scan.brain_mask, settings, device)

    threshold = best_threshold(
        (anomaly_map, scan.lesions) for scan, anomaly_map in mapped(VALIDATION)
    )
    log(f"threshold {threshold.value:.6g}, Dice {threshold.dice:.4f}")
    rows = []
    for scan, anomaly_map in mapped(TEST):
        lesions = scan.lesions
        prediction = segment(anomaly_map, threshold.value, settings)
        dice = metrics.dice(prediction, lesions)
        auprc = metrics.average_precision(anomaly_map, lesions)
        rows.append((scan.subject, scan.session, "dice", dice))
        rows.append((scan.subject, scan.session, "auprc", auprc))
    return rows


def map_on_device(
    scores: np.ndarray, brain_mask: np.ndarray, settings: PostprocessingSettings, device: Device
) -> np.ndarray:
    """The anomaly map [S, H, W], computed on a GPU if there is one, where it is faster."""
    if device.settings.name == "cuda":
        return device_postprocess.anomaly_map(scores, brain_mask, settings, device.torch)
    return postprocess.anomaly_map(scores, brain_mask, settings)
