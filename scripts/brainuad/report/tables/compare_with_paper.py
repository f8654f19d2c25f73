"""Our numbers beside the paper's and those of an independent rerun, and the difference."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainuad.evaluation.paper import compare_with_paper
from brainuad.io.job import log
from brainuad.io.tables import read_table
from brainuad.report.labels import Labels
from brainuad.report.metric_formats import number, signed
from brainuad.report.tables import Table
from brainuad.report.tables.layout import escape, html_spread, html_table, latex_spread, latex_table

SEGMENTATION = ["dice", "auprc"]
RECONSTRUCTION = ["ssim", "psnr", "lpips", "l1", "l1_ratio", "l1_ratio_released"]


def tabulate(
    ours: Sequence[Path], *, printed: Sequence[Path], rerun: Path, labels: Labels
) -> Table:
    """Set our tables (tidy, as tabulated) beside the printed ones, a row per printed number.

    `rerun` is what others measured with the authors' code.
    """
    # A table without rows has columns without a type.
    measured = pd.concat([read_table(path) for path in ours]).astype({"mean": float, "sd": float})
    table = compare_with_paper(
        measured,
        pd.concat([read_table(path) for path in printed], ignore_index=True),
        read_table(rerun),
    )
    log(f"{table['ours'].notna().sum()} of {len(table)} numbers were measured")
    return laid_out(table, labels)


def laid_out(table: pd.DataFrame, labels: Labels) -> Table:
    """Our numbers beside the paper's, first those of segmentation, then of reconstruction."""
    summary = table.rename(columns={"ours": "mean"})
    parts = (SEGMENTATION, RECONSTRUCTION)
    return Table(
        table,
        "".join(html_table(summary, metrics=part, labels=labels, cell=_html) for part in parts),
        "\n".join(latex_table(summary, metrics=part, labels=labels, cell=_latex) for part in parts),
    )


def _html(record: pd.Series) -> str:
    metric = record["metric"]
    ours = number(record["mean"], metric) + html_spread(record["sd"], metric)
    return ours + "".join(f'<span class="interval">{line}</span>' for line in _beneath(record))


def _latex(record: pd.Series) -> str:
    metric = record["metric"]
    mean = escape(number(record["mean"], metric))
    ours = rf"\textbf{{{mean}}}" if record["best"] else mean
    spread = latex_spread(record["sd"], metric)
    beneath = "".join(rf"\\{{\scriptsize {escape(line)}}}" for line in _beneath(record))
    return rf"\shortstack{{{ours}{spread}{beneath}}}"


def _beneath(record: pd.Series) -> list[str]:
    """The lines under a number of ours: the paper's with the difference, and that of the rerun."""
    metric = record["metric"]
    paper = number(record["paper"], metric)
    if not pd.isna(record["mean"]):
        paper = f"{paper} ({signed(record['difference'], metric)})"
    rerun = [] if pd.isna(record["rerun"]) else [f"rerun {number(record['rerun'], metric)}"]
    return [paper, *rerun]
