"""Histograms of intensities, and how far that of a reconstruction is from that of its scan.

All functions but the first take counts [B] of the same bins. Entropies and divergences are in nats
(natural logarithms).
"""

import numpy as np

# Added to each bin before a KL divergence (Jeffreys' prior).
PSEUDO_COUNT = 0.5


def count_values(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How many values [any shape] lie in each bin, int64 [B]; edges [B + 1] rise.

    The last bin holds its upper edge too; a value beyond the edges counts in the bin next to it.
    """
    return np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]


def densities(counts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Probability densities [..., B] of counts [..., B]: their integral is 1; NaN of no values."""
    total = counts.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return counts / (total * np.diff(edges))


def entropy(counts: np.ndarray) -> float:
    """-sum p ln p over the bins, in nats: 0 if all values are in one bin, ln B if evenly spread.

    An empty bin adds nothing. NaN of no values.
    """
    if not counts.sum():
        return float("nan")
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def entropy_difference(scan: np.ndarray, reconstruction: np.ndarray) -> float:
    """H(scan) - H(reconstruction) in nats, which the paper prints as "KLD".

    Of either sign; 0 does not mean that the histograms are equal. That of densities is the same, as
    the width of the bins cancels. NaN of no values.
    """
    return entropy(scan) - entropy(reconstruction)


def kl_divergence(scan: np.ndarray, reconstruction: np.ndarray) -> float:
    """D(scan || reconstruction) = sum p ln(p / q) in nats, >= 0; NaN of no values.

    It would be infinite where the scan has a value and the reconstruction none, so half a value is
    added to each bin of both.
    """
    if not (scan.sum() and reconstruction.sum()):
        return float("nan")
    # ASSUME: empty bins get half a value before a KL divergence, which the paper names but does
    # not compute; of a whole volume's values that changes little, and equal histograms have 0.
    shares, others = (
        (counts + PSEUDO_COUNT) / (counts.sum() + PSEUDO_COUNT * len(counts))
        for counts in (scan, reconstruction)
    )
    return float((shares * np.log(shares / others)).sum())
