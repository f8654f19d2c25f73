"""Results by lesion volume, age, sex and site: a row per group, a column per method."""

import html
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.subgroups import group_scans, summarize_groups
from brainuad.io.tables import read_table
from brainuad.report.labels import Labels
from brainuad.report.metric_formats import DASH, number
from brainuad.report.tables import Table
from brainuad.report.tables.layout import NO_SCORES_HTML, NO_SCORES_LATEX, html_of, latex_of

SHOWN = ["dice", "auprc"]
SEXES = {"f": "female", "m": "male"}
KNOWN = ["dataset", "subject", "session", "age", "sex", "site"]


def tabulate(
    scores: pd.DataFrame,
    *,
    subjects: Sequence[Path],
    bootstrap: BootstrapSettings,
    labels: Labels,
    metrics: Sequence[str] = SHOWN,
) -> Table:
    """Summarize the scores of each group; the tables of `subjects` are named by their data sets."""
    people = [read_table(path).assign(dataset=path.stem)[KNOWN] for path in subjects]
    known = pd.concat(people, ignore_index=True) if people else pd.DataFrame(columns=KNOWN)
    summary = summarize_groups(
        scores,
        group_scans(known, scores),
        metrics=metrics,
        bootstrap=bootstrap,
    )
    return Table(summary, subgroups_html(summary, labels), subgroups_latex(summary, labels))


def subgroups_html(summary: pd.DataFrame, labels: Labels) -> str:
    """What `summarize_groups` gives, a table per data set and metric."""
    if summary.empty:
        return NO_SCORES_HTML
    return "".join(
        f"<h3>{html.escape(title)}</h3>{html_of(_laid_out(part, labels, interval=True))}"
        for title, part in _parts(summary, labels)
    )


def subgroups_latex(summary: pd.DataFrame, labels: Labels) -> str:
    """As `subgroups_html` for LaTeX, without the intervals, for which a page is too narrow."""
    if summary.empty:
        return NO_SCORES_LATEX
    return "\n".join(
        f"% {title}\n{latex_of(_laid_out(part, labels, interval=False))}"
        for title, part in _parts(summary, labels)
    )


def _parts(summary: pd.DataFrame, labels: Labels) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each data set and metric, below a title such as "WMH T1, Dice %"."""
    for place, rows in summary.groupby(["dataset", "modality"], sort=False):
        for metric, part in rows.groupby("metric", sort=False):
            yield f"{labels.cohort(*place)}, {labels.metric(metric)}", part


def _laid_out(part: pd.DataFrame, labels: Labels, *, interval: bool) -> pd.DataFrame:
    """Texts as groups x (subjects, methods), all of one data set and metric."""
    rows = list(dict.fromkeys(zip(part["grouping"], part["group"], strict=True)))
    subjects = part.groupby(["grouping", "group"])["subjects"].max()
    cells = {
        (record["grouping"], record["group"], record["method"]): _cell(record, interval=interval)
        for _, record in part.iterrows()
    }
    texts = {"Subjects": [str(subjects[row]) for row in rows]} | {
        labels.method(method): [cells.get((*row, method), DASH) for row in rows]
        for method in dict.fromkeys(part["method"])
    }
    index = [(grouping.capitalize(), SEXES.get(group, group)) for grouping, group in rows]
    return pd.DataFrame(texts, pd.MultiIndex.from_tuples(index))


def _cell(record: pd.Series, *, interval: bool) -> str:
    mean, low, high = (
        number(record[name], record["metric"]) for name in ("mean", "ci_low", "ci_high")
    )
    if not interval or low == DASH:
        return mean
    return f'{mean}<span class="interval">[{low}, {high}]</span>'
