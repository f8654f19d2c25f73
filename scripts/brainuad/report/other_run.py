"""The numbers of this run beside those of another run of the workflow."""

import html
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainuad.errors import SettingsError
from brainuad.report.metric_formats import DASH, METRICS, number, signed
from brainuad.report.names import dataset_name, method_name
from brainuad.report.report_tables import NO_SCORES_HTML, NO_SCORES_LATEX, escape, html_of, latex_of
from brainuad.tables import read_table

PLACE = ["method", "dataset", "modality"]
KEYS = [*PLACE, "metric"]
COLUMNS = [*KEYS, "mean", "sd"]
# Those of the readers' tables; the TSV has all.
SHOWN = ["dice", "auprc", "ssim", "psnr", "lpips", "l1", "l1_ratio"]
NOTE = (
    "Ours is this run, theirs the run \u201c{name}\u201d: means over folds \u00b1 standard "
    "deviation over folds (a dash there: one fold only), and the difference (ours \u2212 theirs). "
    "Where a run has a dash in place of a mean, it has no such number. The two may differ in their "
    "subjects, splits and settings, so the difference is not one between the same scans."
)


def read_results(paths: Sequence[Path]) -> pd.DataFrame:
    """Tables of results one below the other: method, dataset, modality, metric, mean and sd.

    Raises SettingsError for a file that is not such a table.
    """
    return pd.concat([_results_in(path) for path in paths], ignore_index=True)


def _results_in(path: Path) -> pd.DataFrame:
    try:
        table = read_table(path)
        lacking = [column for column in COLUMNS if column not in table]
    except ValueError:
        lacking = COLUMNS
    if lacking:
        raise SettingsError(
            f"{path} is no table of results: it lacks {', '.join(lacking)}; name the folder in "
            "which another run of this workflow has made its report"
        )
    # A table without rows has columns without a type.
    return table[COLUMNS].astype({"mean": float, "sd": float})


def beside_run(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Set two runs side by side, a row for each number that either of them has.

    Both are as from `read_results`. Gives the keys with ours, ours_sd, theirs, theirs_sd and
    difference (ours - theirs), NaN where a run has no number. Methods and, within them, data sets
    and metrics are in the order of ours; what is only theirs comes last.
    """
    table = pd.concat([ours[KEYS], theirs[KEYS]], ignore_index=True).drop_duplicates()
    for run, name in ((ours, "ours"), (theirs, "theirs")):
        named = run.rename(columns={"mean": name, "sd": f"{name}_sd"})
        table = table.merge(named, on=KEYS, how="left", validate="one_to_one")
    table["difference"] = table["ours"] - table["theirs"]
    order = [table.groupby(keys, sort=False).ngroup() for keys in (["method"], PLACE)]
    return table.iloc[pd.concat(order, axis=1).sort_values([0, 1], kind="stable").index]


def run_html(table: pd.DataFrame, *, name: str) -> str:
    """The table of `beside_run` with its note; `name` is that of the other run."""
    texts = run_texts(table)
    if texts.empty:
        return NO_SCORES_HTML
    body = html_of(texts, pd.DataFrame(False, texts.index, texts.columns))
    return f'{body}<p class="note">{NOTE.format(name=html.escape(name))}</p>'


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
