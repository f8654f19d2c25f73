"""From scores of subjects to the tables of the report: TSV, HTML and LaTeX.

Tidy numbers stay fractions (as scored); only the pages and the LaTeX show per cent.
"""

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from brainuad.job import log
from brainuad.metric_formats import DASH, METRICS, MINUS, number
from brainuad.names import AVERAGE, dataset_name, method_name
from brainuad.report_pages import page, write_text
from brainuad.score_tables import gather_scores, summarize_scores, with_average
from brainuad.settings import settings_from
from brainuad.statistics import BootstrapSettings
from brainuad.tables import write_table

GREEK = {"gamma": "\u03b3"}
LATEX = {
    "_": r"\_",
    "%": r"\%",
    GREEK["gamma"]: r"$\gamma$",
    "10\u207b\u00b3": "$10^{-3}$",
    "\u00b7": r"$\cdot$",
    DASH: "--",
    MINUS: "$-$",
}
SPREAD_NOTE = (
    "Mean over folds \u00b1 standard deviation over folds (a dash: there is one fold only). "
    "In brackets the {confidence:.0f} % bootstrap interval of the mean over subjects. "
    "The best method of a column is in bold."
)


def _html_cell(record: pd.Series) -> str:
    mean, sd, low, high = _numbers(record)
    if record["dataset"] == AVERAGE:
        return mean
    interval = "" if low == DASH else f'<span class="interval">[{low}, {high}]</span>'
    return f'{mean} <span class="spread">\u00b1 {sd}</span>{interval}'


def _latex_cell(record: pd.Series) -> str:
    mean, sd, low, high = (text.replace(DASH, "--") for text in _numbers(record))
    mean = rf"\textbf{{{mean}}}" if record["best"] else mean
    if record["dataset"] == AVERAGE:
        return mean
    if low == "--":
        return rf"{mean} $\pm$ {sd}"
    return rf"\shortstack{{{mean} $\pm$ {sd}\\{{\scriptsize [{low}, {high}]}}}}"


def _numbers(record: pd.Series) -> list[str]:
    return [number(record[name], record["metric"]) for name in ("mean", "sd", "ci_low", "ci_high")]


def arrange(
    summary: pd.DataFrame,
    *,
    metrics: Sequence[str],
    cell: Callable[[pd.Series], str],
    extra: str | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay a summary out as methods x (data set, metric): the texts, and which are the best.

    Best means best of all methods as shown, ties included; with `extra`, best for its value.
    A lone method is the best of nothing.
    """
    shown = summary[summary["metric"].isin(list(metrics))].copy()
    block = [_block(extra, value) for value in shown[extra]] if extra else [""] * len(shown)
    place = list(zip(shown["dataset"], shown["modality"], strict=True))
    shown["row"] = list(zip(block, shown["method"], strict=True))
    shown["column"] = list(zip(place, shown["metric"], strict=True))
    shown["best"] = False
    for _, group in shown.groupby([pd.Series(block, shown.index, dtype=str), "column"], sort=False):
        shown.loc[group.index, "best"] = _best(group["mean"], group["metric"].iloc[0])
    shown["text"] = [cell(record) for _, record in shown.iterrows()]

    blocks = list(dict.fromkeys(block))
    rows = sorted(dict.fromkeys(shown["row"]), key=lambda row: blocks.index(row[0]))
    present = set(shown["column"])
    columns = [
        (where, m) for where in dict.fromkeys(place) for m in metrics if (where, m) in present
    ]
    index = pd.Index([method_name(method) for _, method in rows], dtype=object)
    if extra:
        index = pd.MultiIndex.from_tuples([(value, method_name(method)) for value, method in rows])
    header = [(dataset_name(*where), METRICS[metric].label) for where, metric in columns]
    record_at = {(record["row"], record["column"]): record for _, record in shown.iterrows()}

    def laid_out(field: str, empty: object) -> pd.DataFrame:
        cells = [
            [
                record_at[row, column][field] if (row, column) in record_at else empty
                for column in columns
            ]
            for row in rows
        ]
        return pd.DataFrame(cells, index, pd.MultiIndex.from_tuples(header, names=[None, None]))

    return laid_out("text", DASH), laid_out("best", False)


def _block(extra: str, value: object) -> str:
    return f"{GREEK[extra]} = {value:g}" if extra in GREEK else str(value)


def _best(means: pd.Series, metric: str) -> list[bool]:
    rounded = (means * METRICS[metric].scale).round(METRICS[metric].digits)
    if len(rounded) < 2 or rounded.isna().all():
        return [False] * len(rounded)
    best = rounded.max() if METRICS[metric].higher_is_better else rounded.min()
    return (rounded == best).tolist()


def html_table(
    summary: pd.DataFrame,
    *,
    metrics: Sequence[str],
    extra: str | None = None,
    cell: Callable[[pd.Series], str] = _html_cell,
) -> str:
    """The table as HTML, `mean +- sd` with the interval beneath, the best of a column in bold."""
    if summary["metric"].isin(list(metrics)).sum() == 0:
        return '<p class="note">There are no scores for this table.</p>'
    texts, best = arrange(summary, metrics=metrics, cell=cell, extra=extra)
    classes = best.map(lambda flag: "best" if flag else "")
    return _rendered(Styler(texts, uuid="t", cell_ids=False).set_td_classes(classes))


def latex_table(
    summary: pd.DataFrame,
    *,
    metrics: Sequence[str],
    extra: str | None = None,
    cell: Callable[[pd.Series], str] = _latex_cell,
) -> str:
    """The table as LaTeX for the booktabs package, a tabular to be put into any float."""
    if summary["metric"].isin(list(metrics)).sum() == 0:
        return "% There are no scores for this table.\n"
    texts, _ = arrange(summary, metrics=metrics, cell=cell, extra=extra)
    texts = texts.replace(DASH, "--")
    styler = texts.style.format_index(escape, axis=0).format_index(escape, axis=1)
    table = styler.to_latex(
        hrules=True,
        column_format="l" * texts.index.nlevels + "r" * texts.shape[1],
        multicol_align="c",
        multirow_align="naive",
    )
    return f"% needs \\usepackage{{booktabs}}\n{table}"


def plain_latex(frame: pd.DataFrame, *, columns: str) -> str:
    """A table of texts as LaTeX, for the booktabs package; `columns` is the tabular's format."""
    styler = frame.style.hide(axis="index").format(escape).format_index(escape, axis=1)
    table = styler.to_latex(hrules=True, column_format=columns, multicol_align="c")
    return f"% needs \\usepackage{{booktabs}}\n{table}"


def escape(text: str) -> str:
    """A text of these tables as LaTeX."""
    for character, latex in LATEX.items():
        text = text.replace(character, latex)
    return text


def plain_table(frame: pd.DataFrame) -> str:
    """A table of texts as HTML, its content escaped."""
    cells = frame.astype(object).where(frame.notna(), "").map(lambda cell: html.escape(str(cell)))
    classes = pd.DataFrame("text", cells.index, cells.columns)
    styler = Styler(cells, uuid="t", cell_ids=False).hide(axis="index")
    return _rendered(styler.set_td_classes(classes), kind="numbers words")


def _rendered(styler: Styler, kind: str = "numbers") -> str:
    # pandas gives each table an id and a style block, which two tables on a page would share.
    table = styler.set_table_attributes(f'class="{kind}"').to_html().replace(' id="T_t"', "")
    return f'<div class="scroll">{table[table.index("<table") :]}</div>'


def tabulate_scores(
    scores: Sequence[Path],
    *,
    methods: Sequence[str],
    folds: Sequence[int],
    datasets: Sequence[str],
    bootstrap: dict[str, Any],
    metrics: Sequence[str],
    shown: Sequence[str],
    title: str,
    note: str,
    tsv: Path,
    html_path: Path,
    tex: Path,
    average: bool = False,
    extra: str | None = None,
) -> None:
    """Summarize score files into a table: the `metrics` in the TSV, those `shown` for readers.

    `scores`, `methods`, `folds` and `datasets` are parallel. With `average` the mean over the data
    sets is shown too. With `extra`, a column of the scores, methods are compared within its values.
    """
    settings = settings_from(BootstrapSettings, bootstrap)
    gathered = gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    summary = summarize_scores(
        gathered, metrics=metrics, bootstrap=settings, extra=[extra] if extra else []
    )
    write_results(
        with_average(summary) if average else summary,
        metrics=shown,
        title=title,
        note=f"{SPREAD_NOTE.format(confidence=100 * settings.confidence)} {note}",
        tsv=tsv,
        html_path=html_path,
        tex=tex,
        extra=extra,
    )
    log(f"{len(gathered)} scores of {len(scores)} files in {len(summary)} rows")


def write_results(
    summary: pd.DataFrame,
    *,
    metrics: Sequence[str],
    title: str,
    note: str,
    tsv: Path,
    html_path: Path,
    tex: Path,
    extra: str | None = None,
) -> None:
    """Write a summary as TSV (all but averages), and its named metrics as HTML and LaTeX."""
    results = summary[summary["dataset"] != AVERAGE]
    # The averages have no counts, which makes the others fractions.
    write_table(results.astype({"folds": int, "subjects": int}), tsv)
    body = html_table(summary, metrics=metrics, extra=extra) + f'<p class="note">{note}</p>'
    write_text(page(title=title, body=body), html_path)
    write_text(latex_table(summary, metrics=metrics, extra=extra), tex)
