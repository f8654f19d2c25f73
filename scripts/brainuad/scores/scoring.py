"""A score with what it is compared with, as the jobs that score scans use it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.images.computed_volumes import ScansWithVolumes
from brainuad.images.distributions import Distribution, read_distribution
from brainuad.images.slices import Scan
from brainuad.scores import Score, load_score, needs_samples, values_of

# Slices of the scan on which scores are tried out.
SLICES_TO_TRY = 12


class Scoring:
    """A score as a method uses it on the scans of a cohort.

    reference  what a normative score compares with; None for other scores
    pooled     the scans of the reference with their reconstructions, where the cohort holds them:
               all scans of a subject are left out of the reference of each of them
    """

    def __init__(
        self,
        score: Score,
        reference: Distribution | None = None,
        pooled: ScansWithVolumes | None = None,
    ) -> None:
        self._score = score
        self._reference = reference
        self._pooled = pooled

    @property
    def needs_samples(self) -> bool:
        """Whether the score compares a scan with several reconstructions."""
        return needs_samples(self._score)

    def __call__(self, scan: Scan, reconstruction: np.ndarray | None) -> np.ndarray:
        """The anomaly map of a scan before post-processing, float32 [S, H, W], >= 0."""
        if self._reference is None:
            return values_of(self._score, scan.image, reconstruction, scan.brain_mask)
        healthy = self._reference
        for own, its_reconstruction in self._of_subject(scan.subject):
            values = self._score.values(own, its_reconstruction)
            healthy = healthy.without(own.name, values, own.affine)
        return self._score.z(scan, reconstruction, healthy)

    def _of_subject(self, subject: str) -> Iterator[tuple[Scan, np.ndarray | None]]:
        for number, scan in enumerate(self._pooled.scans if self._pooled else ()):
            if scan.subject == subject:
                yield self._pooled[number]


def load_scoring(
    block: dict[str, Any], reference: Path | None, pooled: ScansWithVolumes | None = None
) -> Scoring:
    """Build the scoring of a method from its `score` in the config, and the file of its reference.

    Raises SettingsError as `load_score` does, and for a file that can't be read.
    """
    return Scoring(
        load_score(block), None if reference is None else read_distribution(reference), pooled
    )


def try_out(score: Score, size: tuple[int, int], *, samples: int | None) -> None:
    """Score a made-up scan, with slices of a size (rows, columns), before there are scans.

    samples  how many reconstructions of it there are; None for a method without a model

    Raises SettingsError for a map that is not one, see `values_of`, and whatever the score raises.
    A normative score has no reference yet: what it compares is tried.
    """
    shape = (SLICES_TO_TRY, *size)
    axes = [np.linspace(-1.2, 1.2, length) for length in shape]
    brain_mask = sum(np.square(axis) for axis in np.ix_(*axes)) < 1
    drawn = np.random.default_rng(0).random(((samples or 0) + 1, *shape), dtype=np.float32)
    image, *reconstructions = drawn * brain_mask
    reconstruction = None
    if samples is not None:
        stack = np.stack(reconstructions)
        # As `ScansWithVolumes` gives them: a single one has no axis of samples.
        reconstruction = stack if needs_samples(score) and samples > 1 else stack.mean(axis=0)
    compared = getattr(score, "compared", None)
    values_of(compared or score, image, reconstruction, brain_mask, signed=compared is not None)
