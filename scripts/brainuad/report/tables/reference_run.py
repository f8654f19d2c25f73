"""The table of this run beside another one, as HTML and LaTeX."""

import html

import pandas as pd

from brainuad.report.metric_formats import DASH, METRICS, number, signed
from brainuad.report.names import dataset_name, method_name
from brainuad.report.tables.layout import NO_SCORES_HTML, NO_SCORES_LATEX, escape, html_of, latex_of

# Those of the readers' tables; the TSV has all.
SHOWN = ["dice", "auprc", "ssim", "psnr", "lpips", "l1", "l1_ratio", "l1_ratio_released"]
NOTE = (
    "Ours is this run, theirs the run \u201c{name}\u201d: means over folds \u00b1 standard "
    "deviation over folds (a dash there: one fold only), and the difference (ours \u2212 theirs). "
    "Where a run has a dash in place of a mean, it has no such number. The two may differ in their "
    "subjects, splits and settings, so the difference is not one between the same scans."
)


def run_html(table: pd.DataFrame, *, name: str) -> str:
    """The table of `other_run.beside_run` with its note; `name` is that of the other run."""
    texts = run_texts(table)
    if texts.empty:
        return NO_SCORES_HTML
    return f'{html_of(texts)}<p class="note">{NOTE.format(name=html.escape(name))}</p>'


def run_latex(table: pd.DataFrame) -> str:
    """As `run_html`, for LaTeX."""
    texts = run_texts(table)
    return NO_SCORES_LATEX if texts.empty else latex_of(texts.map(escape))


def run_texts(table: pd.DataFrame) -> pd.DataFrame:
    """A row per method, data set and metric; the columns Ours, Theirs and Difference."""
    texts = {}
    for record in table[table["metric"].isin(SHOWN)].to_dict("records"):
        metric = record["metric"]
        place = dataset_name(record["dataset"], record["modality"])
        texts[method_name(record["method"]), place, METRICS[metric].label] = (
            _mean_and_sd(record["ours"], record["ours_sd"], metric),
            _mean_and_sd(record["theirs"], record["theirs_sd"], metric),
            signed(record["difference"], metric),
        )
    index = pd.MultiIndex.from_tuples(texts, names=[None] * 3)
    return pd.DataFrame(texts.values(), index, columns=["Ours", "Theirs", "Difference"])


def _mean_and_sd(mean: float, sd: float, metric: str) -> str:
    return DASH if pd.isna(mean) else f"{number(mean, metric)} \u00b1 {number(sd, metric)}"
