"""What the paper claims, held against our tables: the paper's number, ours and the verdict."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainuad.evaluation.claims import FAILS, HOLDS, NOT_MEASURED, evaluate_claims
from brainuad.evaluation.paper import DIVISORS
from brainuad.io.tables import read_table
from brainuad.report.labels import Labels
from brainuad.report.metric_formats import DASH, MINUS
from brainuad.report.tables import Table
from brainuad.report.tables.layout import plain_latex, plain_table

SUFFIXES = {"%": " %", "dB": " dB", "1e-3": " \u00b7 10\u207b\u00b3", "1": ""}


def tabulate(ours: Sequence[Path], *, claims: Path, labels: Labels) -> Table:
    """Judge each claim by our tables (tidy, as tabulated); of two numbers the first table's counts.

    The numbers are in our units (fractions); readers see the printed ones.
    """
    table = evaluate_claims(read_table(claims), [read_table(path) for path in ours])
    counts = table["verdict"].value_counts()
    sentence = (
        f"Of {len(table)} claims of the paper, {counts.get(HOLDS, 0)} hold here, "
        f"{counts.get(FAILS, 0)} do not, and {counts.get(NOT_MEASURED, 0)} were not measured."
    )
    texts = claims_texts(table, labels)
    return Table(
        table,
        f"<p>{sentence}</p>{plain_table(texts)}",
        plain_latex(texts, columns="p{6cm}rrp{3cm}p{4cm}l"),
    )


def claims_texts(table: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """A row per claim, in words and in printed units."""
    records = table.to_dict("records")
    return pd.DataFrame(
        {
            "Claim": table["claim"],
            "Paper": [as_printed(record["paper"], record["unit"]) for record in records],
            "Ours": [as_printed(record["ours"], record["unit"]) for record in records],
            "Verdict": [_verdict(record, labels) for record in records],
            "Measured": table["measured"],
            "Paper's number from": table["source"],
        }
    )


def as_printed(value: float, unit: str) -> str:
    """A number of ours in the paper's unit and to its two decimals; a dash where there is none."""
    if pd.isna(value):
        return DASH
    return f"{value * DIVISORS[unit]:.2f}{SUFFIXES[unit]}".replace("-", MINUS)


def _verdict(record: dict, labels: Labels) -> str:
    if record["verdict"] != NOT_MEASURED or not record["lacking"]:
        return record["verdict"]
    lacking = ", ".join(map(labels.method, record["lacking"].split(", ")))
    return f"{NOT_MEASURED} (there is no {lacking})"
