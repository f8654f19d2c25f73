"""The tables of the paper, as HTML and LaTeX: our numbers beside its own, and what it claims."""

from functools import partial

import pandas as pd

from brainuad.evaluation.claims import FAILS, HOLDS, NOT_MEASURED
from brainuad.evaluation.paper import DIVISORS
from brainuad.report.metric_formats import DASH, MINUS, number, signed
from brainuad.report.names import method_name
from brainuad.report.tables.layout import escape, html_table, latex_table, plain_latex, plain_table

SEGMENTATION = ["dice", "auprc"]
RECONSTRUCTION = ["ssim", "psnr", "lpips", "l1", "l1_ratio", "l1_ratio_released"]
SUFFIXES = {"%": " %", "dB": " dB", "1e-3": " \u00b7 10\u207b\u00b3", "1": ""}
PAPER_NOTE = (
    "Ours \u00b1 standard deviation over folds, and beneath it the paper's number with the "
    "difference (ours \u2212 paper). Rerun: what others measured with the authors' public code "
    "(MCDDPM, arXiv 2409.19623), where they did. A dash: there is none. In bold: our best of a "
    "column. How the paper defines its l1 ratio is unknown: its one number stands beneath both of "
    "ours, that within the brain and that of all voxels, as the released code stores them."
)
CLAIMS_NOTE = (
    "A claim holds if the direction is the paper's, whatever the size; chance is not considered. A "
    "claim over several methods is judged only if all of them were measured. The l1 ratio is that "
    "within the brain; how the paper defines its own is unknown."
)


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
    spread = f' <span class="spread">\u00b1 {show(record["sd"])}</span>'
    ours = DASH if pd.isna(record["mean"]) else show(record["mean"]) + spread
    return ours + "".join(f'<span class="interval">{line}</span>' for line in _beneath(record))


def _paper_latex_cell(record: pd.Series) -> str:
    show = partial(number, metric=record["metric"])
    mean = rf"\textbf{{{show(record['mean'])}}}" if record["best"] else show(record["mean"])
    ours = DASH if pd.isna(record["mean"]) else rf"{mean} $\pm$ {show(record['sd'])}"
    beneath = "".join(rf"\\{{\scriptsize {escape(line)}}}" for line in _beneath(record))
    return rf"\shortstack{{{ours.replace(DASH, '--')}{beneath}}}"


def _beneath(record: pd.Series) -> list[str]:
    """The lines under a number of ours: the paper's with the difference, and that of the rerun."""
    metric = record["metric"]
    paper = number(record["paper"], metric)
    if not pd.isna(record["mean"]):
        paper = f"{paper} ({signed(record['difference'], metric)})"
    rerun = [] if pd.isna(record["rerun"]) else [f"rerun {number(record['rerun'], metric)}"]
    return [paper, *rerun]


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
    lacking = "" if pd.isna(record["lacking"]) else record["lacking"]
    if record["verdict"] != NOT_MEASURED or not lacking:
        return record["verdict"]
    lacking = ", ".join(method_name(method) for method in lacking.split(", "))
    return f"{NOT_MEASURED} (there is no {lacking})"
