"""Tables that summarize scores of subjects as they are: segmentation, reconstruction and others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brainuad.config.settings import settings_from
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import (
    gather_scores,
    summarize_scores,
    with_average,
    with_difference,
)
from brainuad.io.job import log
from brainuad.report.labels import Labels
from brainuad.report.tables import Table
from brainuad.report.tables.layout import table_of_summary


def tabulate(
    scores: Sequence[Path],
    *,
    methods: Sequence[str],
    folds: Sequence[int],
    datasets: Sequence[str],
    bootstrap: dict[str, Any],
    metrics: Sequence[str],
    shown: Sequence[str],
    labels: Labels,
    average: bool = False,
    extra: str | None = None,
    reference: str | None = None,
) -> Table:
    """Summarize score files: the `metrics` as numbers, those `shown` for readers.

    `scores`, `methods`, `folds` and `datasets` are parallel. With `average` the mean over the data
    sets is shown too. With `extra`, a column of the scores, methods are compared within its values,
    and with a `reference`, one of these values, the others show their difference to it.
    """
    gathered = gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    summary = summarize_scores(
        gathered,
        metrics=metrics,
        bootstrap=settings_from(BootstrapSettings, bootstrap),
        extra=[extra] if extra else [],
    )
    if average:
        summary = with_average(summary)
    if extra and reference:
        summary = with_difference(summary, extra=extra, reference=reference)
    log(f"{len(gathered)} scores of {len(scores)} files")
    return table_of_summary(summary, metrics=shown, labels=labels, extra=extra)
