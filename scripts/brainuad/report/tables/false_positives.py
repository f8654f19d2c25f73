"""The volume that each method calls anomalous in healthy test brains, by each threshold."""

from collections.abc import Iterator

import pandas as pd

from brainuad.evaluation.detection import false_positive_volumes
from brainuad.evaluation.metrics import PREDICTED_VOLUME
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.report.labels import Labels
from brainuad.report.metric_formats import number
from brainuad.report.tables import Table
from brainuad.report.tables.layout import (
    NO_SCORES_HTML,
    NO_SCORES_LATEX,
    html_cell,
    html_table,
    latex_cell,
    latex_table,
)

VOLUMES = [PREDICTED_VOLUME, "median_ml", "percentile_95_ml", "share_clean"]


def tabulate(
    scores: pd.DataFrame,
    *,
    bootstrap: BootstrapSettings,
    labels: Labels,
) -> Table:
    """Summarize the volumes (ml); the share of clean scans is in [0, 1]."""
    summary = false_positive_volumes(
        scores,
        bootstrap,
    )
    if summary.empty:
        return Table(summary, NO_SCORES_HTML, NO_SCORES_LATEX)
    shown = {"metrics": VOLUMES, "labels": labels, "extra": "fitted_on"}
    counts = sorted(set(summary["subjects"]))
    subjects = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
    return Table(
        summary,
        "".join(html_table(part, **shown, cell=_html_cell) for part in _parts(summary, labels))
        + f'<p class="note">Median and 95th percentile are over {subjects} subjects.</p>',
        "\n".join(latex_table(part, **shown, cell=_latex_cell) for part in _parts(summary, labels)),
    )


def _parts(summary: pd.DataFrame, labels: Labels) -> Iterator[pd.DataFrame]:
    """A table per healthy set and modality, a row per measure; only the volume has a spread."""
    for (_, modality), part in summary.groupby(["dataset", "modality"], sort=False):
        sets = [f"Threshold of {labels.threshold(name, modality)}" for name in part["fitted_on"]]
        labelled = part.assign(fitted_on=sets)
        keys = ["method", "dataset", "modality", "fitted_on"]
        others = labelled[[*keys, *VOLUMES[1:]]].melt(keys, var_name="metric", value_name="mean")
        yield pd.concat([labelled, others], ignore_index=True)


def _html_cell(record: pd.Series) -> str:
    if record["metric"] == PREDICTED_VOLUME:
        return html_cell(record)
    return number(record["mean"], record["metric"])


def _latex_cell(record: pd.Series) -> str:
    if record["metric"] == PREDICTED_VOLUME:
        return latex_cell(record)
    mean = number(record["mean"], record["metric"])
    return rf"\textbf{{{mean}}}" if record["best"] else mean
