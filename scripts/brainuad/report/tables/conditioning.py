"""The table of reconstructions whose encoder saw a part of each slice, as HTML and LaTeX."""

from collections.abc import Callable

import pandas as pd

from brainuad.report.metric_formats import METRICS
from brainuad.report.names import dataset_name, method_name
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


def conditioning_html(summary: pd.DataFrame) -> str:
    """Methods per timestep x regions per share; the summary has the columns `EXTRA` too."""
    return NO_SCORES_HTML if summary.empty else html_of(*_arranged(summary, html_cell))


def conditioning_latex(summary: pd.DataFrame) -> str:
    """As `conditioning_html`, for LaTeX."""
    return NO_SCORES_LATEX if summary.empty else latex_of(_arranged(summary, latex_cell)[0])


def _arranged(
    summary: pd.DataFrame, cell: Callable[[pd.Series], str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    # The regions are those of the smallest share, whatever the share of a column.
    regions = {"seen": "always seen", "hidden": f"hidden at {_per_cent(summary['share'].min())}"}
    summary = summary.assign(
        place=[
            f"{dataset_name(*place)}, {METRICS[METRIC].label}"
            for place in zip(summary["dataset"], summary["modality"], strict=True)
        ]
    )
    ordered = summary.sort_values(["timestep", "share"], kind="stable")
    rows = [
        (block_name("timestep", record.timestep), method_name(record.method))
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
