"""The cost of scoring a volume of the paper's size, compared with scipy, scikit-learn and MONAI.

The references are imported where they run, so that their memory is not in the peak memory.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import yaml
from measuring import PROJECT, Row, side_by_side
from scipy import ndimage

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.evaluation import metrics, thresholds
from brainuad.images.computed_volumes import scans_with
from brainuad.images.slices import SliceStack
from brainuad.scores import load_score, postprocess
from brainuad.scores.mahalanobis import REGULARIZATION, distances
from brainuad.scores.scoring import Scoring
from map_anomalies import mapped
from score_segmentation import scores_of

GRID = (50, 96, 96)
SMALL_SLICE = 45
VALIDATION_VOLUMES = 10


@dataclass(frozen=True)
class Sample:
    """A brain of noise [S, H, W], a smoother reconstruction, a round lesion and the anomaly map."""

    image: np.ndarray
    reconstruction: np.ndarray
    brain: np.ndarray
    lesions: np.ndarray
    anomaly_map: np.ndarray


def settings() -> PostprocessingSettings:
    """The paper's post-processing."""
    config = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))
    return settings_from(PostprocessingSettings, config["evaluation"]["postprocessing"])


def sample(seed: int = 0) -> Sample:
    """A volume with as many brain voxels as a patient's."""
    # Left and right are alike, as in a brain: the middle is between two rows.
    place = np.indices(GRID) - np.array([25, 47.5, 48])[:, None, None, None]
    brain = (place**2 / np.array([24, 36, 44])[:, None, None, None] ** 2).sum(0) < 1
    image = np.random.default_rng(seed).random(GRID, dtype=np.float32) * brain
    reconstruction = ndimage.gaussian_filter(image, 1) * brain
    lesions = (((place - 8) ** 2).sum(0) < 64).astype(np.uint8)
    anomaly_map = postprocess.anomaly_map(np.abs(image - reconstruction), brain, settings())
    return Sample(image, reconstruction, brain, lesions, anomaly_map)


def compared(
    what: str,
    work: Callable[[], object],
    reference: str | None = None,
    plain: Callable[[], object] | None = None,
    *,
    volumes: int = 1,
    unit: str = "volumes/s",
) -> list[Row]:
    """Volumes (or what `unit` says) per second, ours and the reference."""
    timing = side_by_side(work, plain)
    other = volumes / timing.reference_seconds if plain else None
    rate = volumes / timing.seconds
    return [Row(what, rate, unit, timing.peak_memory_mib, reference, other)]


def median_filter() -> list[Row]:
    """The median filter of a residual."""
    case, size = sample(), settings().median_size
    residual = np.abs(case.image - case.reconstruction)
    return compared(
        f"median filter {size}x{size}x{size}",
        lambda: postprocess.median_filtered(residual, size),
        "scipy",
        lambda: ndimage.median_filter(residual, size),
    )


def anomaly_map() -> list[Row]:
    """Residual, eroded mask and median filter."""
    case, chosen = sample(), settings()
    cross = ndimage.generate_binary_structure(2, 1)[None]

    def plain() -> np.ndarray:
        mask = ndimage.binary_erosion(case.brain, cross, iterations=chosen.erosion_iterations)
        residual = np.where(mask, np.abs(case.image - case.reconstruction), 0)
        return ndimage.median_filter(residual, chosen.median_size)

    def work() -> np.ndarray:
        residual = np.abs(case.image - case.reconstruction)
        return postprocess.anomaly_map(residual, case.brain, chosen)

    return compared("anomaly map", work, "scipy", plain)


def average_precision() -> list[Row]:
    """The area under the precision-recall curve."""
    case = sample()

    def plain() -> float:
        from sklearn.metrics import average_precision_score

        return average_precision_score(case.lesions.ravel(), case.anomaly_map.ravel())

    return compared(
        "average precision",
        lambda: metrics.average_precision(case.anomaly_map, case.lesions),
        "scikit-learn",
        plain,
    )


def threshold_search() -> list[Row]:
    """The threshold of best Dice on pooled voxels: Dice is F1, searched on the whole curve."""
    cases = [sample(seed) for seed in range(VALIDATION_VOLUMES)]
    maps, lesions = [case.anomaly_map for case in cases], [case.lesions for case in cases]

    def plain() -> float:
        from sklearn.metrics import precision_recall_curve

        precision, recall, cuts = precision_recall_curve(
            np.concatenate(lesions, axis=None), np.concatenate(maps, axis=None)
        )
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
        return cuts[np.argmax(f1[:-1])]

    return compared(
        f"threshold search on {VALIDATION_VOLUMES} volumes",
        lambda: thresholds.best_threshold(zip(maps, lesions, strict=True)),
        "scikit-learn, its curve and the best F1",
        plain,
        volumes=VALIDATION_VOLUMES,
    )


def ssim_and_psnr() -> list[Row]:
    """Both measures of a reconstruction."""
    case = sample()

    def plain() -> None:
        import torch
        from monai.metrics import PSNRMetric, SSIMMetric

        torch.set_num_threads(1)
        pair = [
            torch.from_numpy(volume)[None, None] for volume in (case.reconstruction, case.image)
        ]
        SSIMMetric(spatial_dims=3)(*pair)
        PSNRMetric(max_val=1)(*pair)

    def work() -> None:
        metrics.ssim(case.image, case.reconstruction)
        metrics.psnr(case.image, case.reconstruction)

    return compared("SSIM and PSNR", work, "MONAI", plain)


def ssim_ensemble() -> list[Row]:
    """The anomaly score of SSIM at eight scales."""
    case, score = sample(), load_score({"kind": "ssim_ensemble"})

    def plain() -> np.ndarray:
        import torch
        from monai.metrics.regression import compute_ssim_and_cs

        torch.set_num_threads(1)
        pair = [
            torch.from_numpy(volume)[None, None] for volume in (case.image, case.reconstruction)
        ]
        similarities = []
        for sigma in score.sigmas:
            edge = 2 * round(3.5 * sigma) + 1
            window = {"kernel_size": (edge,) * 3, "kernel_sigma": (sigma,) * 3}
            # MONAI's SSIM gives only voxels whose window lies inside the volume, so it is padded.
            padded = [
                torch.nn.functional.pad(one, (edge // 2,) * 6, mode="reflect") for one in pair
            ]
            full, _ = compute_ssim_and_cs(*padded, spatial_dims=3, data_range=1.0, **window)
            similarities.append(full[0, 0].numpy())
        found = np.stack(similarities)
        return 1 - np.average(found, axis=0, weights=np.exp(-found))

    return compared(
        "score ssim_ensemble",
        lambda: score(case.image, case.reconstruction, case.brain),
        "MONAI's SSIM in each window",
        plain,
    )


def mahalanobis() -> list[Row]:
    """The anomaly score of ten samples."""
    case, score = sample(), load_score({"kind": "mahalanobis"})
    noise = np.random.default_rng(1).normal(scale=0.05, size=(10, *GRID))
    samples = (case.reconstruction + noise).astype(np.float32)
    # The inverse for a large slice would take half a minute.
    inside = case.brain[SMALL_SLICE]
    pixels, sampled = case.image[SMALL_SLICE][inside], samples[:, SMALL_SLICE][:, inside]

    def plain() -> np.ndarray:
        covariance = np.cov(sampled, rowvar=False) + REGULARIZATION * np.eye(len(pixels))
        difference = pixels - sampled.mean(axis=0)
        products = difference * (np.linalg.inv(covariance) @ difference)
        return np.sqrt(np.maximum(products, 0))

    return [
        *compared("score mahalanobis, 10 samples", lambda: score(case.image, samples, case.brain)),
        *compared(
            f"its distances in a slice with {len(pixels)} voxels of brain",
            lambda: distances(pixels, sampled),
            "NumPy's inverse of the covariance",
            plain,
            unit="slices/s",
        ),
    ]


def normative() -> list[Row]:
    """The z-score of the intensity against four healthy scans."""
    config = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))
    cases = [sample(seed) for seed in range(5)]
    stack = SliceStack(
        images=np.stack([case.image for case in cases]),
        brain_masks=np.stack([case.brain for case in cases]),
        lesions=np.stack([case.lesions for case in cases]),
        subjects=np.array([f"s{number}" for number in range(5)]),
        affines=np.tile(np.diag([2.0, 2.0, 2.0, 1.0]), (5, 1, 1)),
    )
    score = load_score(config["methods"]["zscore"]["score"])
    patient, *healthy = stack.names
    reference = score.reference(scans_with(stack, None, healthy))
    scoring = Scoring(score, reference)
    (scan,) = stack.scans([patient])

    def plain() -> np.ndarray:
        # Voxels of 2 mm; the scan has the reference's grid, in whose middle left and right meet, so
        # nothing is resampled.
        brain = scan.brain_mask
        values = ndimage.gaussian_filter(np.where(brain, scan.image, 0), score.smoothing / 2)
        mean, opposite = reference.mean, reference.mean[:, ::-1]
        variances = reference.deviation**2 + reference.deviation[:, ::-1] ** 2
        mean, variance = (
            ndimage.gaussian_filter(volume, score.reference_smoothing / 2)
            for volume in ((mean + opposite) / 2, variances / 2 + (mean - opposite) ** 2 / 4)
        )
        known = len(healthy) - 1
        variance = known * variance + score.prior * variance[brain].mean()
        return np.abs(values - mean) / np.sqrt(variance / (known + score.prior)) * brain

    return compared(
        "score normative, z of the intensity",
        lambda: scoring(scan, None),
        "scipy's Gaussian and NumPy, on one grid",
        plain,
    )


def all_scores() -> list[Row]:
    """All that map_anomalies and score_segmentation do for a volume: map, components, scores."""
    case, chosen, absolute = sample(), settings(), load_score({"kind": "absolute"})
    stack = SliceStack(
        images=case.image[None],
        brain_masks=case.brain[None],
        lesions=case.lesions[None],
        subjects=np.array(["subject"]),
        affines=np.eye(4)[None],
    )
    (scan,) = stack.scans(["subject"])

    def work() -> None:
        pairs = [(scan, case.reconstruction)]
        for anomaly_map, measures, _ in mapped(pairs, Scoring(absolute), chosen, pictured=True):
            thresholds = {"threshold": 0.2, "healthy_threshold": 0.1}
            scores_of(scan, anomaly_map, measures, **thresholds, settings=chosen)

    return compared("all scores of a segmentation", work)
