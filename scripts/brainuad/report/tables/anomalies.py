"""Every scan whose findings were written: how much in it is called anomalous."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainuad.io.rows import read_rows
from brainuad.report.derivatives.anomalies import ANOMALIES, SCAN_COLUMNS
from brainuad.report.labels import Labels
from brainuad.report.tables import Table
from brainuad.report.tables.layout import plain_latex, plain_table

NUMBERS = ["volume_ml", "candidates", "maximum", "mean_residual", "percentile"]
# Readers see those that stand out; a study may have thousands of scans.
SHOWN = 30


def tabulate(
    derivatives: Sequence[Path], *, cohorts: Sequence[Sequence[str]], labels: Labels
) -> Table:
    """Join the lists of `derivatives`; `cohorts`, each a data set and a modality, are parallel."""
    rows = [
        {"cohort": f"{dataset}_{modality}", "label": labels.cohort(dataset, modality), **row}
        for folder, (dataset, modality) in zip(derivatives, cohorts, strict=True)
        for row in read_rows(folder / ANOMALIES)
    ]
    table = pd.DataFrame(rows, columns=["cohort", "label", *SCAN_COLUMNS])
    table[NUMBERS] = table[NUMBERS].apply(pd.to_numeric)
    shown = anomalies_texts(table)
    return Table(
        table.drop(columns="label"),
        f'{plain_table(shown)}<p class="note">{len(shown)} of {len(table)} scans, those with the '
        "highest mean score first.</p>",
        plain_latex(shown, columns="llrrrrr"),
    )


def anomalies_texts(table: pd.DataFrame) -> pd.DataFrame:
    """The scans that stand out most, as readers see them."""
    first = table.sort_values("mean_residual", ascending=False, kind="stable").head(SHOWN)
    return pd.DataFrame(
        {
            "Cohort": first["label"],
            "Scan": first["scan"],
            "Above the threshold (ml)": first["volume_ml"].map("{:.1f}".format),
            "Candidates": first["candidates"].map("{:.0f}".format),
            "Maximum": first["maximum"].map("{:.3f}".format),
            "Mean score": first["mean_residual"].map("{:.4f}".format),
            "Percentile among healthy": [
                f"{row.percentile:.0f} of {row.healthy_scans}"
                if row.healthy_scans
                else "\N{EN DASH}"
                for row in first.itertuples()
            ],
        }
    )
