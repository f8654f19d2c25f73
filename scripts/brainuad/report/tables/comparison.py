"""The table of one method against the others, as HTML and LaTeX."""

import pandas as pd

from brainuad.report.metric_formats import DASH, METRICS, signed
from brainuad.report.names import dataset_name, method_name
from brainuad.report.tables.layout import plain_latex, plain_table

COMPARED = ["dice", "auprc"]
NOTHING_TO_COMPARE = (
    "There is nothing to compare: no two methods have scores of two subjects or more of a data set."
)


def comparison_html(table: pd.DataFrame, *, confidence: float) -> str:
    """The table of comparison.compare with its note, or a line where there is nothing in it.

    confidence is the mass of the intervals in (0, 1).
    """
    if table.empty:
        return f'<p class="note">{NOTHING_TO_COMPARE}</p>'
    method = method_name(table["method"].iloc[0])
    note = (
        f"{method} minus each other method: the mean difference over subjects with its "
        f"{100 * confidence:.0f} % bootstrap interval. p is that of a paired permutation test over "
        "subjects, each with its mean over folds; p (Holm) is corrected for all tests of the same "
        "metric."
    )
    return f'{plain_table(comparison_texts(table))}<p class="note">{note}</p>'


def comparison_latex(table: pd.DataFrame) -> str:
    """As `comparison_html`, for LaTeX."""
    if table.empty:
        return f"% {NOTHING_TO_COMPARE}\n"
    texts = comparison_texts(table)
    return plain_latex(texts, columns="ll" + "r" * (texts.shape[1] - 2))


def comparison_texts(table: pd.DataFrame) -> pd.DataFrame:
    """A row per data set and other method, and four columns per metric."""
    keys = ["dataset", "modality", "other"]
    places = table[keys].drop_duplicates()
    texts = {
        ("", "Data set"): [
            dataset_name(dataset, modality)
            for dataset, modality in zip(places["dataset"], places["modality"], strict=True)
        ],
        ("", "Against"): [method_name(other) for other in places["other"]],
    }
    for metric in COMPARED:
        tests = table[table["metric"] == metric]
        records = places.merge(tests, on=keys, how="left").to_dict("records")
        label = METRICS[metric].label
        texts |= {
            (label, "Difference"): [_difference(record, metric) for record in records],
            (label, "p"): [_probability(record["p"]) for record in records],
            (label, "p (Holm)"): [_probability(record["p_corrected"]) for record in records],
            (label, "Subjects"): [
                DASH if pd.isna(record["subjects"]) else f"{record['subjects']:.0f}"
                for record in records
            ],
        }
    return pd.DataFrame(texts)


def _difference(record: dict, metric: str) -> str:
    difference, low, high = (
        signed(record[name], metric) for name in ("difference", "ci_low", "ci_high")
    )
    return DASH if difference == DASH else f"{difference} [{low}, {high}]"


def _probability(value: float) -> str:
    return DASH if pd.isna(value) else f"{value:.2g}"
