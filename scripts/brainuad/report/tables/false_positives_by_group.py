"""The volume that each method calls anomalous in healthy test brains, by age, sex and site."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainuad.evaluation.metrics import PREDICTED_VOLUME
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.thresholds import ON_HEALTHY
from brainuad.report.labels import Labels
from brainuad.report.tables import Table, subgroups


def tabulate(
    scores: pd.DataFrame,
    *,
    subjects: Sequence[Path],
    bootstrap: BootstrapSettings,
    labels: Labels,
) -> Table:
    """Summarize the volumes (ml) of each group, at the first of the thresholds of healthy voxels.

    The tables of `subjects` are named by their data sets.
    """
    # ASSUME: groups are compared at the threshold that 1 % of healthy voxels exceed: it needs no
    # lesion set, and all methods call about the same share anomalous at it.
    at_one = scores if scores.empty else scores[scores["fitted_on"] == next(iter(ON_HEALTHY))]
    return subgroups.tabulate(
        at_one, subjects=subjects, bootstrap=bootstrap, labels=labels, metrics=[PREDICTED_VOLUME]
    )
