"""Seconds that each method takes to reconstruct a volume, and how many times a reference's."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainuad.evaluation.reconstruction_times import COLUMNS, SECONDS, ratio_to
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import summarize_scores
from brainuad.io.tables import read_table
from brainuad.report.labels import Labels
from brainuad.report.tables import Table
from brainuad.report.tables.layout import table_of_summary


def tabulate(
    times: Sequence[Path], *, reference: str, bootstrap: BootstrapSettings, labels: Labels
) -> Table:
    """Summarize the times of all jobs; a ratio is to the reference in the same job and round."""
    measured = pd.concat([pd.DataFrame(columns=COLUMNS), *map(read_table, times)])
    # The interval is over rounds, as that of scores is over subjects.
    rounds = with_ratios(measured, reference).rename(columns={"round": "subject"})
    metrics = [SECONDS, ratio_to(reference)]
    summary = summarize_scores(rounds, metrics=metrics, bootstrap=bootstrap)
    return table_of_summary(summary, metrics=metrics, labels=labels)


def with_ratios(times: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Add each time's ratio to the reference's as a further metric; without it there is none."""
    keys = ["fold", "dataset", "modality", "round"]
    of_reference = times.loc[times["method"] == reference, [*keys, "value"]]
    pairs = times.merge(of_reference, on=keys, suffixes=("", "_of_reference"))
    ratios = pairs["value"] / pairs["value_of_reference"]
    others = pairs.assign(metric=ratio_to(reference), value=ratios)
    return pd.concat([times, others[COLUMNS]], ignore_index=True)
