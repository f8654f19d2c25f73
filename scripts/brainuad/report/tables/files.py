"""From scores of subjects to the files of a table: TSV, HTML and LaTeX.

Tidy numbers stay fractions (as scored); only the pages and the LaTeX show per cent.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.config.settings import settings_from
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import (
    AVERAGE,
    gather_scores,
    summarize_scores,
    with_average,
    with_difference,
)
from brainuad.io.job import log
from brainuad.io.tables import write_table
from brainuad.report.pages.pages import page, write_text
from brainuad.report.tables.layout import html_table, latex_table

SPREAD_NOTE = (
    "Mean over folds \u00b1 standard deviation over folds (a dash: there is one fold only). "
    "In brackets the {confidence:.0f} % bootstrap interval of the mean over subjects. "
    "The best method of a column is in bold."
)


def tabulate_scores(
    scores: Sequence[Path],
    *,
    methods: Sequence[str],
    folds: Sequence[int],
    datasets: Sequence[str],
    bootstrap: dict[str, Any],
    metrics: Sequence[str],
    shown: Sequence[str],
    title: str,
    note: str,
    tsv: Path,
    html: Path,
    tex: Path,
    average: bool = False,
    extra: str | None = None,
    reference: str | None = None,
) -> None:
    """Summarize score files into a table: the `metrics` in the TSV, those `shown` for readers.

    `scores`, `methods`, `folds` and `datasets` are parallel. With `average` the mean over the data
    sets is shown too. With `extra`, a column of the scores, methods are compared within its values,
    and with a `reference`, one of these values, the others show their difference to it.
    """
    settings = settings_from(BootstrapSettings, bootstrap)
    gathered = gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    summary = summarize_scores(
        gathered, metrics=metrics, bootstrap=settings, extra=[extra] if extra else []
    )
    if average:
        summary = with_average(summary)
    if extra and reference:
        summary = with_difference(summary, extra=extra, reference=reference)
    write_results(
        summary,
        metrics=shown,
        title=title,
        note=f"{SPREAD_NOTE.format(confidence=100 * settings.confidence)} {note}",
        tsv=tsv,
        html=html,
        tex=tex,
        extra=extra,
    )
    log(f"{len(gathered)} scores of {len(scores)} files in {len(summary)} rows")


def write_results(
    summary: pd.DataFrame,
    *,
    metrics: Sequence[str],
    title: str,
    note: str,
    tsv: Path,
    html: Path,
    tex: Path,
    extra: str | None = None,
) -> None:
    """Write a summary as TSV (all but averages), and its named metrics as HTML and LaTeX."""
    results = summary[summary["dataset"] != AVERAGE]
    # The averages have no counts, which makes the others fractions.
    write_tables(
        results.astype({"folds": int, "subjects": int}),
        title=title,
        body=html_table(summary, metrics=metrics, extra=extra) + f'<p class="note">{note}</p>',
        latex=latex_table(summary, metrics=metrics, extra=extra),
        tsv=tsv,
        html=html,
        tex=tex,
    )


def write_tables(
    table: pd.DataFrame, *, title: str, body: str, latex: str, tsv: Path, html: Path, tex: Path
) -> None:
    """Write a tidy table as TSV, and what readers see of it: a page around `body`, and LaTeX."""
    write_table(table, tsv)
    write_text(page(title=title, body=body), html)
    write_text(latex, tex)
