"""Our numbers beside those of a reference run of this workflow, row by row, and the difference."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainuad.evaluation.reference_run import compare_runs, read_results
from brainuad.io.job import log
from brainuad.report.labels import Labels
from brainuad.report.metric_formats import number, plus_minus, signed
from brainuad.report.tables import Table
from brainuad.report.tables.layout import NO_SCORES_HTML, NO_SCORES_LATEX, escape, html_of, latex_of

# Those of the readers' tables; the TSV has all.
SHOWN = ["dice", "auprc", "ssim", "psnr", "lpips", "l1", "l1_ratio", "l1_ratio_released"]


def tabulate(ours: Sequence[Path], *, reference: Sequence[Path], labels: Labels) -> Table:
    """Set our tables (tidy, as tabulated) beside those of the reference run."""
    table = compare_runs(read_results(ours), read_results(reference))
    log(f"{table['difference'].notna().sum()} of {len(table)} numbers are in both runs")
    texts = runs_texts(table, labels)
    if texts.empty:
        return Table(table, NO_SCORES_HTML, NO_SCORES_LATEX)
    return Table(table, html_of(texts), latex_of(texts.map(escape)))


def runs_texts(table: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """A row per method, data set and metric; the columns Ours, Theirs and Difference."""
    texts = {}
    for record in table[table["metric"].isin(SHOWN)].to_dict("records"):
        metric = record["metric"]
        place = labels.cohort(record["dataset"], record["modality"])
        texts[labels.method(record["method"]), place, labels.metric(metric)] = (
            _mean_and_sd(record["ours"], record["ours_sd"], metric),
            _mean_and_sd(record["theirs"], record["theirs_sd"], metric),
            signed(record["difference"], metric),
        )
    index = pd.MultiIndex.from_tuples(texts, names=[None] * 3)
    return pd.DataFrame(texts.values(), index, columns=["Ours", "Theirs", "Difference"])


def _mean_and_sd(mean: float, sd: float, metric: str) -> str:
    return f"{number(mean, metric)} {plus_minus(sd, metric)}".rstrip()
