"""Tables that summarize scores of subjects as they are: segmentation, reconstruction and others."""

from collections.abc import Sequence

import pandas as pd

from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import (
    summarize_scores,
    with_average,
    with_difference,
)
from brainuad.report.labels import Labels
from brainuad.report.tables import Table
from brainuad.report.tables.layout import table_of_summary


def tabulate(
    scores: pd.DataFrame,
    *,
    bootstrap: BootstrapSettings,
    metrics: Sequence[str],
    shown: Sequence[str],
    labels: Labels,
    average: bool = False,
    extra: str | None = None,
    reference: str | None = None,
) -> Table:
    """Summarize scores: the `metrics` as numbers, those `shown` for readers.

    With `average` the mean over the data sets is shown too. With `extra`, a column of the scores,
    methods are compared within its values, and with a `reference`, one of these values, the others
    show their difference to it.
    """
    summary = summarize_scores(
        scores,
        metrics=metrics,
        bootstrap=bootstrap,
        extra=[extra] if extra else [],
    )
    if average:
        summary = with_average(summary)
    if extra and reference:
        summary = with_difference(summary, extra=extra, reference=reference)
    return table_of_summary(summary, metrics=shown, labels=labels, extra=extra)
