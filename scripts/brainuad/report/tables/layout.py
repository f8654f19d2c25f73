"""The tables of the report for readers, laid out as HTML and LaTeX."""

import html
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from brainuad.evaluation.summaries import AVERAGE
from brainuad.report.labels import Labels
from brainuad.report.metric_formats import DASH, MINUS, format_of, number, plus_minus, signed
from brainuad.report.tables import Table

# How a number that varies is written before its value.
SYMBOLS = {"gamma": "\u03b3", "timestep": "t"}
LATEX = {
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "<": "$<$",
    "\u2265": r"$\geq$",
    SYMBOLS["gamma"]: r"$\gamma$",
    "10\u207b\u00b3": "$10^{-3}$",
    "\u00b7": r"$\cdot$",
    "\u00b1": r"$\pm$",
    DASH: "--",
    MINUS: "$-$",
}
NO_SCORES = "There are no scores for this table."
NO_SCORES_HTML, NO_SCORES_LATEX = f'<p class="note">{NO_SCORES}</p>', f"% {NO_SCORES}\n"


def html_cell(record: pd.Series) -> str:
    """A row of a summary as one cell: `mean +- sd`, and beneath it the interval or difference."""
    mean, low, high = _numbers(record)
    spread = html_spread(record["sd"], record["metric"])
    beneath = _beneath(record, low, high)
    return mean + spread + (f'<span class="interval">{beneath}</span>' if beneath else "")


def latex_cell(record: pd.Series) -> str:
    """As `html_cell`, for LaTeX; the best is in bold."""
    mean, low, high = _numbers(record)
    mean = rf"\textbf{{{escape(mean)}}}" if record["best"] else escape(mean)
    spread = latex_spread(record["sd"], record["metric"])
    if beneath := _beneath(record, low, high):
        return rf"\shortstack{{{mean}{spread}\\{{\scriptsize {escape(beneath)}}}}}"
    return mean + spread


def html_spread(deviation: float, metric: str) -> str:
    """The standard deviation over folds after a mean; nothing where there is none."""
    text = plus_minus(deviation, metric)
    return f' <span class="spread">{text}</span>' if text else ""


def latex_spread(deviation: float, metric: str) -> str:
    """As `html_spread`, for LaTeX."""
    text = plus_minus(deviation, metric)
    return f" {escape(text)}" if text else ""


def _numbers(record: pd.Series) -> list[str]:
    return [number(record[name], record["metric"]) for name in ("mean", "ci_low", "ci_high")]


def _beneath(record: pd.Series, low: str, high: str) -> str:
    """What stands under a mean: its difference where the summary has one, else its interval."""
    difference = signed(record.get("difference", float("nan")), record["metric"])
    if difference != DASH:
        return difference
    return "" if low == DASH else f"[{low}, {high}]"


def arrange(
    summary: pd.DataFrame,
    *,
    metrics: Sequence[str],
    labels: Labels,
    cell: Callable[[pd.Series], str],
    extra: str | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay a summary out as methods x (data set, metric): the texts, and which are the best.

    Best means best of all methods as shown, ties included; with `extra`, best for its value.
    """
    shown = summary[summary["metric"].isin(list(metrics))]
    blocks = [(block_name(extra, value),) for value in shown[extra]] if extra else [()] * len(shown)
    methods = map(labels.method, shown["method"])
    rows = [(*block, method) for block, method in zip(blocks, methods, strict=True)]
    places = list(map(labels.cohort, shown["dataset"], shown["modality"]))
    named = map(labels.metric, shown["metric"])
    places_in_order, blocks_in_order = list(dict.fromkeys(places)), list(dict.fromkeys(blocks))
    return lay_out(
        shown.assign(row=rows, column=list(zip(places, named, strict=True))),
        rows=sorted(dict.fromkeys(rows), key=lambda row: blocks_in_order.index(row[:-1])),
        columns=[(place, labels.metric(metric)) for place in places_in_order for metric in metrics],
        cell=cell,
    )


def lay_out(
    summary: pd.DataFrame,
    *,
    rows: Sequence[tuple[str, ...]],
    columns: Sequence[tuple[str, ...]],
    cell: Callable[[pd.Series], str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The texts of a table, and which are the best, from a summary that says where each row stands.

    `row` and `column` of the summary are labels, outer ones first; `rows` and `columns` are their
    order. Columns without a number are left out. The best is that of a column within the rows whose
    outer labels are the same; one that stands alone is the best of nothing.
    """
    shown = summary.assign(best=False)
    competitors = [
        (row[:-1], column) for row, column in zip(shown["row"], shown["column"], strict=True)
    ]
    for _, group in shown.groupby(pd.Series(competitors, shown.index, dtype=object), sort=False):
        shown.loc[group.index, "best"] = _best(group["mean"], group["metric"].iloc[0])
    record_at = {(record["row"], record["column"]): record for _, record in shown.iterrows()}
    texts = {place: cell(record) for place, record in record_at.items()}
    best = {place: record["best"] for place, record in record_at.items()}
    present = set(shown["column"])
    columns = [column for column in columns if column in present]
    index = (
        pd.MultiIndex.from_tuples(rows) if len(rows[0]) > 1 else pd.Index([row[0] for row in rows])
    )
    header = pd.MultiIndex.from_tuples(columns)

    def laid_out(cells: dict[tuple, Any], empty: object) -> pd.DataFrame:
        content = [[cells.get((row, column), empty) for column in columns] for row in rows]
        return pd.DataFrame(content, index, header)

    return laid_out(texts, DASH), laid_out(best, False)


def block_name(extra: str, value: object) -> str:
    """What stands before the methods that are compared for one value of an extra column."""
    return f"{SYMBOLS[extra]} = {value:g}" if extra in SYMBOLS else str(value)


def _best(means: pd.Series, metric: str) -> list[bool]:
    shown = format_of(metric)
    rounded = (means * shown.scale).round(shown.digits)
    if len(rounded) < 2 or rounded.isna().all():
        return [False] * len(rounded)
    if shown.higher_is_better:
        return (rounded == rounded.max()).tolist()
    # Where lower is better none is better than zero; a difference may lie on either side of it.
    return (rounded.abs() == rounded.abs().min()).tolist()


def html_table(
    summary: pd.DataFrame,
    *,
    metrics: Sequence[str],
    labels: Labels,
    extra: str | None = None,
    cell: Callable[[pd.Series], str] = html_cell,
) -> str:
    """The table as HTML, `mean +- sd` with the interval beneath, the best of a column in bold.

    Where the summary has a `difference` (summaries.with_difference), it stands beneath instead.
    """
    if summary["metric"].isin(list(metrics)).sum() == 0:
        return NO_SCORES_HTML
    return html_of(*arrange(summary, metrics=metrics, labels=labels, cell=cell, extra=extra))


def latex_table(
    summary: pd.DataFrame,
    *,
    metrics: Sequence[str],
    labels: Labels,
    extra: str | None = None,
    cell: Callable[[pd.Series], str] = latex_cell,
) -> str:
    """The table as LaTeX for the booktabs package, a tabular to be put into any float."""
    if summary["metric"].isin(list(metrics)).sum() == 0:
        return NO_SCORES_LATEX
    return latex_of(arrange(summary, metrics=metrics, labels=labels, cell=cell, extra=extra)[0])


def table_of_summary(
    summary: pd.DataFrame, *, metrics: Sequence[str], labels: Labels, extra: str | None = None
) -> Table:
    """A summary as a table that shows some of its metrics; averages are for readers alone."""
    results = summary[summary["dataset"] != AVERAGE]
    shown = {"metrics": metrics, "labels": labels, "extra": extra}
    return Table(
        # The averages have no counts, which makes the others fractions.
        results.astype({"folds": int, "subjects": int}),
        html=html_table(summary, **shown),
        latex=latex_table(summary, **shown),
    )


def html_of(texts: pd.DataFrame, best: pd.DataFrame | None = None) -> str:
    """A table that is laid out, as HTML; its cells are HTML. Without `best` no cell is the best."""
    styler = Styler(texts, uuid="t", cell_ids=False)
    styler = styler.format_index(html.escape, axis=0).format_index(_header, axis=1)
    if best is not None:
        styler = styler.set_td_classes(best.map(lambda flag: "best" if flag else ""))
    return _rendered(styler)


def latex_of(texts: pd.DataFrame) -> str:
    """A table that is laid out, as LaTeX for the booktabs package; its cells are LaTeX."""
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


def _header(text: str) -> str:
    # A header breaks between words, never before its unit.
    return html.escape(text).replace(" %", "&nbsp;%")


def _rendered(styler: Styler, kind: str = "numbers") -> str:
    # pandas gives each table an id and a style block, which two tables on a page would share.
    table = styler.set_table_attributes(f'class="{kind}"').to_html().replace(' id="T_t"', "")
    return f'<div class="scroll">{table[table.index("<table") :]}</div>'
