"""Which lesions are found, and how much else: a table per data set, a row per method."""

from collections.abc import Callable, Iterator
from html import escape

import pandas as pd

from brainuad.evaluation.lesion_summaries import ANY_SIZE, summarize_lesions
from brainuad.evaluation.lesions import F1, FALSE_POSITIVES, SENSITIVITY
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.report.labels import Labels
from brainuad.report.tables import Table
from brainuad.report.tables.layout import (
    NO_SCORES_HTML,
    NO_SCORES_LATEX,
    html_cell,
    html_of,
    latex_cell,
    latex_of,
    lay_out,
)


def tabulate(
    scores: pd.DataFrame,
    *,
    lesions: pd.DataFrame,
    bootstrap: BootstrapSettings,
    labels: Labels,
) -> Table:
    """Summarize the scores of scans and the `lesions`, a row each, of the same files' origins."""
    summary = summarize_lesions(scores, lesions, bootstrap)
    if summary.empty:
        return Table(summary, NO_SCORES_HTML, NO_SCORES_LATEX)
    return Table(
        summary,
        "".join(
            f"<h3>{escape(title)}</h3>{html_of(*laid_out)}"
            for title, laid_out in _parts(summary, labels, html_cell)
        ),
        "\n".join(
            f"% {title}\n{latex_of(texts)}"
            for title, (texts, _) in _parts(summary, labels, latex_cell)
        ),
    )


def _parts(
    summary: pd.DataFrame, labels: Labels, cell: Callable[[pd.Series], str]
) -> Iterator[tuple[str, tuple[pd.DataFrame, pd.DataFrame]]]:
    """Each data set: its name, the texts of its table, and which are the best."""
    for place, part in summary.groupby(["dataset", "modality"], sort=False):
        lesions = part.set_index("size")["lesions"].to_dict()
        columns = {
            (metric, ANY_SIZE): (f"Any size ({lesions[ANY_SIZE]:,})", labels.metric(metric))
            for metric in (SENSITIVITY, F1, FALSE_POSITIVES)
        } | {
            (SENSITIVITY, size): ("Sensitivity % by volume of the lesion", f"{size} ({count:,})")
            for size, count in lesions.items()
            if size != ANY_SIZE
        }
        rows = [(labels.method(method),) for method in part["method"]]
        keys = zip(part["metric"], part["size"], strict=True)
        yield (
            labels.cohort(*place),
            lay_out(
                part.assign(row=rows, column=[columns[key] for key in keys]),
                rows=list(dict.fromkeys(rows)),
                columns=list(columns.values()),
                cell=cell,
            ),
        )
