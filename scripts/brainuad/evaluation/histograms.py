"""Histograms of intensities, and the differences between those of scans and reconstructions.

All functions except the first take counts [B] of the same bins. Entropies and divergences are in
nats (natural logarithms).
"""

import numpy as np
from scipy.special import entr, rel_entr

# Added to each bin before a KL divergence (Jeffreys' prior).
PSEUDO_COUNT = 0.5


def count_values(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The number of values [any shape] in each bin, int64 [B]; edges [B + 1] increase.

    The last bin includes its upper edge; values beyond the edges count in the first or last bin.
    """
    return np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]


def densities(counts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Probability densities [..., B] of counts [..., B]: the integral is 1; NaN without values."""
    total = counts.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return counts / (total * np.diff(edges))


def entropy(counts: np.ndarray) -> float:
    """-sum p ln p over the bins, in nats: 0 if all values are in one bin, ln B if evenly spread.

    An empty bin adds 0. NaN without values.
    """
    if not counts.sum():
        return float("nan")
    return float(entr(counts / counts.sum()).sum())


def entropy_difference(scan: np.ndarray, reconstruction: np.ndarray) -> float:
    """H(scan) - H(reconstruction) in nats, which the paper calls "KLD".

    It may have either sign, and 0 does not mean that the histograms are equal. Densities give the
    same difference, since the width of the bins cancels. NaN without values.
    """
    return entropy(scan) - entropy(reconstruction)


def kl_divergence(scan: np.ndarray, reconstruction: np.ndarray) -> float:
    """D(scan || reconstruction) = sum p ln(p / q) in nats, >= 0; NaN without values.

    It would be infinite if a bin has values of the scan and none of the reconstruction, so half a
    value is added to each bin of both.
    """
    if not (scan.sum() and reconstruction.sum()):
        return float("nan")
    # ASSUME: all bins get half a value before a KL divergence, which the paper names but does not
    # compute. For the values of a whole volume this has little effect, and equal histograms have 0.
    shares, others = (
        (counts + PSEUDO_COUNT) / (counts.sum() + PSEUDO_COUNT * len(counts))
        for counts in (scan, reconstruction)
    )
    return float(rel_entr(shares, others).sum())
