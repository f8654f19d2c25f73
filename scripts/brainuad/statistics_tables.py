"""The tables that hold one thing against another, as HTML and LaTeX.

A method against the others, our numbers beside the paper's, and what the paper claims.
"""

from functools import partial

import pandas as pd

from brainuad.claims import FAILS, HOLDS, NOT_MEASURED
from brainuad.metric_formats import DASH, METRICS, MINUS, number, signed
from brainuad.names import dataset_name, method_name
from brainuad.paper import DIVISORS
from brainuad.report_tables import escape, html_table, latex_table, plain_latex, plain_table

COMPARED = ["dice", "auprc"]
SEGMENTATION = ["dice", "auprc"]
RECONSTRUCTION = ["ssim", "psnr", "lpips", "l1", "l1_ratio"]
SUFFIXES = {"%": " %", "dB": " dB", "1e-3": " \u00b7 10\u207b\u00b3", "1": ""}
NOTHING_TO_COMPARE = (
    "There is nothing to compare: no two methods have scores of two subjects or more of a data set."
)
PAPER_NOTE = (
    "Ours \u00b1 standard deviation over folds, and beneath it the paper's number with the "
    "difference (ours \u2212 paper). A dash: there is none. In bold: our best of a column."
)
CLAIMS_NOTE = (
    "A claim holds if the direction is the paper's, whatever the size; chance is not considered. A "
    "claim over several methods is judged only if all of them were measured."
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


def paper_html(table: pd.DataFrame) -> str:
    """The table of paper.beside_paper, first segmentation, then reconstruction."""
    summary = table.rename(columns={"ours": "mean"})
    parts = [
        html_table(summary, metrics=metrics, cell=_paper_html_cell)
        for metrics in (SEGMENTATION, RECONSTRUCTION)
    ]
    return f'{"".join(parts)}<p class="note">{PAPER_NOTE}</p>'


def paper_latex(table: pd.DataFrame) -> str:
    """As `paper_html`, for LaTeX: two tabulars."""
    summary = table.rename(columns={"ours": "mean"})
    return "\n".join(
        latex_table(summary, metrics=metrics, cell=_paper_latex_cell)
        for metrics in (SEGMENTATION, RECONSTRUCTION)
    )


def _paper_html_cell(record: pd.Series) -> str:
    show = partial(number, metric=record["metric"])
    beneath = show(record["paper"])
    if pd.isna(record["mean"]):
        return f'{DASH}<span class="interval">{beneath}</span>'
    spread = f'<span class="spread">\u00b1 {show(record["sd"])}</span>'
    beneath = f"{beneath} ({signed(record['difference'], record['metric'])})"
    return f'{show(record["mean"])} {spread}<span class="interval">{beneath}</span>'


def _paper_latex_cell(record: pd.Series) -> str:
    show = partial(number, metric=record["metric"])
    beneath = show(record["paper"])
    if pd.isna(record["mean"]):
        return rf"\shortstack{{--\\{{\scriptsize {beneath}}}}}"
    ours = rf"\textbf{{{show(record['mean'])}}}" if record["best"] else show(record["mean"])
    beneath = escape(f"{beneath} ({signed(record['difference'], record['metric'])})")
    spread = escape(show(record["sd"]))
    return rf"\shortstack{{{ours} $\pm$ {spread}\\{{\scriptsize {beneath}}}}}"


def claims_html(table: pd.DataFrame) -> str:
    """The table of claims.evaluate_claims below a sentence that counts the verdicts."""
    counts = table["verdict"].value_counts()
    sentence = (
        f"Of {len(table)} claims of the paper, {counts.get(HOLDS, 0)} hold here, "
        f"{counts.get(FAILS, 0)} do not, and {counts.get(NOT_MEASURED, 0)} were not measured."
    )
    return f'<p>{sentence}</p>{plain_table(claims_texts(table))}<p class="note">{CLAIMS_NOTE}</p>'


def claims_latex(table: pd.DataFrame) -> str:
    """As `claims_html`, for LaTeX."""
    return plain_latex(claims_texts(table), columns="p{6cm}rrp{3cm}p{4cm}l")


def claims_texts(table: pd.DataFrame) -> pd.DataFrame:
    """A row per claim, in words and in printed units."""
    records = table.to_dict("records")
    return pd.DataFrame(
        {
            "Claim": table["claim"],
            "Paper": [as_printed(record["paper"], record["unit"]) for record in records],
            "Ours": [as_printed(record["ours"], record["unit"]) for record in records],
            "Verdict": [_verdict(record) for record in records],
            "Measured": table["measured"],
            "Paper's number from": table["source"],
        }
    )


def as_printed(value: float, unit: str) -> str:
    """A number of ours in the paper's unit and to its two decimals; a dash where there is none."""
    if pd.isna(value):
        return DASH
    return f"{value * DIVISORS[unit]:.2f}{SUFFIXES[unit]}".replace("-", MINUS)


def _verdict(record: dict) -> str:
    # An empty cell of the TSV is NaN.
    if record["verdict"] != NOT_MEASURED or not isinstance(record["lacking"], str):
        return record["verdict"]
    lacking = ", ".join(method_name(method) for method in record["lacking"].split(", "))
    return f"{NOT_MEASURED} (for {lacking})"
