"""How well is reconstructed what the encoder sees, and what it does not."""

from collections.abc import Callable

import pandas as pd

from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import summarize_scores
from brainuad.report.labels import Labels
from brainuad.report.tables import Table
from brainuad.report.tables.layout import (
    NO_SCORES_HTML,
    NO_SCORES_LATEX,
    block_name,
    html_cell,
    html_of,
    latex_cell,
    latex_of,
    lay_out,
)

EXTRA = ["timestep", "share", "region"]
METRIC = "l1"


def tabulate(
    scores: pd.DataFrame,
    *,
    bootstrap: BootstrapSettings,
    labels: Labels,
) -> Table:
    """Summarize the measures; best is best among the models of one timestep."""
    summary = summarize_scores(
        scores,
        metrics=[METRIC],
        bootstrap=bootstrap,
        extra=EXTRA,
    )
    if summary.empty:
        return Table(summary, NO_SCORES_HTML, NO_SCORES_LATEX)
    return Table(
        summary,
        html_of(*arrange(summary, labels, html_cell)),
        latex_of(arrange(summary, labels, latex_cell)[0]),
    )


def arrange(
    summary: pd.DataFrame, labels: Labels, cell: Callable[[pd.Series], str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Models per timestep x regions per share: the texts, and which are the best."""
    # The regions are those of the smallest share, whatever the share of a column.
    regions = {"seen": "always seen", "hidden": f"hidden at {_per_cent(summary['share'].min())}"}
    summary = summary.assign(
        place=[
            f"{labels.cohort(*place)}, {labels.metric(METRIC)}"
            for place in zip(summary["dataset"], summary["modality"], strict=True)
        ]
    )
    ordered = summary.sort_values(["timestep", "share"], kind="stable")
    rows = [
        (block_name("timestep", record.timestep), labels.model(record.method))
        for record in ordered.itertuples()
    ]
    columns = [
        (record.place, f"encoder sees {_per_cent(record.share)}", regions[record.region])
        for record in ordered.itertuples()
    ]
    places = list(dict.fromkeys(summary["place"]))
    return lay_out(
        ordered.assign(row=rows, column=columns),
        rows=list(dict.fromkeys(rows)),
        columns=sorted(dict.fromkeys(columns), key=lambda column: places.index(column[0])),
        cell=cell,
    )


def _per_cent(share: float) -> str:
    return f"{100 * share:g} %"
