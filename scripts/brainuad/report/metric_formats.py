"""How a metric is shown: its label, unit and digits, and which way is better.

Tables hold plain fractions; only pages, figures and LaTeX show per cent.
"""

from dataclasses import dataclass

import pandas as pd

from brainuad.evaluation.reconstruction_times import reference_of

DASH = "\u2013"
MINUS = "\u2212"


@dataclass(frozen=True)
class Metric:
    """How a metric is shown: times `scale`, with `digits` after the point."""

    label: str
    scale: float
    digits: int
    higher_is_better: bool


METRICS = {
    "dice": Metric("Dice %", 100, 1, True),
    "dice_healthy": Metric("Dice % at 1 %", 100, 1, True),
    "auprc": Metric("AUPRC %", 100, 1, True),
    "precision": Metric("Precision %", 100, 1, True),
    "recall": Metric("Recall %", 100, 1, True),
    "ssim": Metric("SSIM %", 100, 1, True),
    "psnr": Metric("PSNR (dB)", 1, 1, True),
    "lpips": Metric("LPIPS (10\u207b\u00b3)", 1000, 2, False),
    "l1": Metric("l1 (10\u207b\u00b3)", 1000, 1, False),
    "l1_ratio": Metric("l1 ratio", 1, 2, True),
    "l1_ratio_released": Metric("l1 ratio as released", 1, 2, True),
    "mean_residual": Metric("Mean residual (10\u207b\u00b3)", 1000, 1, False),
    "auroc": Metric("AUROC %", 100, 1, True),
    "lesion_sensitivity": Metric("Lesion sensitivity %", 100, 1, True),
    "lesion_f1": Metric("Lesion F1 %", 100, 1, True),
    "false_positive_components": Metric("False positives per scan", 1, 1, False),
    "predicted_volume_ml": Metric("Called anomalous (ml)", 1, 1, False),
    "median_ml": Metric("Median (ml)", 1, 1, False),
    "percentile_95_ml": Metric("95th percentile (ml)", 1, 1, False),
    "share_clean": Metric("Clean scans %", 100, 0, True),
    "entropy_difference": Metric("Entropy difference (nats)", 1, 2, False),
    "kl_divergence": Metric("KL divergence (nats)", 1, 3, False),
    "seconds_per_volume": Metric("Seconds per volume", 1, 3, False),
}
# A ratio of times; the name of the reference method follows.
RATIO = Metric("Ratio to", 1, 2, False)


def format_of(metric: str) -> Metric:
    """How a metric is shown; one that is not known here has its name and three digits."""
    if reference_of(metric):
        return RATIO
    return METRICS.get(metric, Metric(metric, 1, 3, True))


def number(value: float, metric: str) -> str:
    """One number as shown, scaled and rounded; a dash where there is none."""
    shown = format_of(metric)
    if pd.isna(value):
        return DASH
    # z: what rounds to zero has no sign.
    return f"{value * shown.scale:z.{shown.digits}f}".replace("-", MINUS)


def signed(value: float, metric: str) -> str:
    """As `number`, with its sign: a difference."""
    text = number(value, metric)
    return text if text == DASH or text.startswith(MINUS) else f"+{text}"


def plus_minus(deviation: float, metric: str) -> str:
    """The standard deviation of a number, to follow it; nothing where there is none (one fold)."""
    text = number(deviation, metric)
    return "" if text == DASH else f"\u00b1 {text}"
