"""How a metric is shown: its label, unit and digits, and which way is better.

Tables hold plain fractions; only pages, figures and LaTeX show per cent.
"""

from dataclasses import dataclass

import pandas as pd

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
    "auprc": Metric("AUPRC %", 100, 1, True),
    "precision": Metric("Precision %", 100, 1, True),
    "recall": Metric("Recall %", 100, 1, True),
    "ssim": Metric("SSIM %", 100, 1, True),
    "psnr": Metric("PSNR (dB)", 1, 1, True),
    "lpips": Metric("LPIPS (10\u207b\u00b3)", 1000, 2, False),
    "l1": Metric("l1 (10\u207b\u00b3)", 1000, 1, False),
    "l1_ratio": Metric("l1 ratio", 1, 2, True),
    "mean_residual": Metric("Mean residual (10\u207b\u00b3)", 1000, 1, False),
    "auroc": Metric("AUROC %", 100, 1, True),
    "predicted_volume_ml": Metric("Called anomalous (ml)", 1, 1, False),
    "entropy_difference": Metric("Entropy difference", 1, 2, False),
    "kl_divergence": Metric("KL divergence", 1, 3, False),
    "seconds_per_volume": Metric("Seconds per volume", 1, 3, False),
}


def number(value: float, metric: str) -> str:
    """One number as shown, scaled and rounded; a dash where there is none."""
    shown = METRICS.get(metric, Metric(metric, 1, 3, True))
    return DASH if pd.isna(value) else f"{value * shown.scale:.{shown.digits}f}"


def signed(value: float, metric: str) -> str:
    """As `number`, with its sign: a difference."""
    text = number(value, metric)
    return text if text == DASH else f"+{text}".replace("+-", MINUS)
