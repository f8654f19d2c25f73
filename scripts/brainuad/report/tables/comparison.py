"""One method against each other row of the tables: differences, intervals and paired tests."""

from html import escape

import pandas as pd

from brainuad.evaluation.comparison import compare
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.report.labels import Labels
from brainuad.report.metric_formats import DASH, signed
from brainuad.report.tables import Table
from brainuad.report.tables.layout import plain_latex, plain_table

COMPARED = ["dice", "auprc"]
NOTHING_TO_COMPARE = (
    "There is nothing to compare: no two methods have scores of two subjects or more of a data set."
)


def tabulate(
    scores: pd.DataFrame,
    *,
    reference: str,
    rounds: int,
    bootstrap: BootstrapSettings,
    labels: Labels,
) -> Table:
    """Compare the `reference` with all others that have scores; `rounds` are those of the tests.

    Of fewer than two subjects nothing can be said, and there is no row.
    """
    tests = compare(
        scores,
        method=reference,
        others=scores["method"].unique().tolist(),
        metrics=COMPARED,
        rounds=rounds,
        bootstrap=bootstrap,
    )
    tests = tests[tests["subjects"] > 1]
    if tests.empty:
        nothing = f'<p class="note">{escape(NOTHING_TO_COMPARE)}</p>'
        return Table(tests, nothing, f"% {NOTHING_TO_COMPARE}\n")
    texts = comparison_texts(tests, labels)
    columns = "ll" + "r" * (texts.shape[1] - 2)
    return Table(tests, plain_table(texts), plain_latex(texts, columns=columns))


def comparison_texts(tests: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """A row per data set and other method, and four columns per metric."""
    keys = ["dataset", "modality", "other"]
    places = tests[keys].drop_duplicates()
    texts = {
        ("", "Data set"): list(map(labels.cohort, places["dataset"], places["modality"])),
        ("", "Against"): list(map(labels.method, places["other"])),
    }
    for metric in COMPARED:
        of_metric = tests[tests["metric"] == metric]
        records = places.merge(of_metric, on=keys, how="left").to_dict("records")
        label = labels.metric(metric)
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
