"""From scores of subjects to the tables of the report: TSV, HTML and LaTeX.

Tidy numbers stay fractions (as scored); only the pages and the LaTeX show per cent.
"""

import html
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import pandas as pd
from pandas.io.formats.style import Styler

from brainuad.job import replacing
from brainuad.statistics import BootstrapSettings, Summary, summarize
from brainuad.tables import read_table, write_table

DASH = "\u2013"
MINUS = "\u2212"
AVERAGE = "average"
PRETRAINING = "pretraining"
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
METHOD_NAMES = {
    "thresh": "Thresh",
    "anogan": "AnoGAN",
    "vae": "VAE",
    "svae": "SVAE",
    "ae": "AE",
    "dae": "DAE",
    "ddpm": "DDPM",
    "pddpm": "pDDPM",
    "cddpm": "cDDPM",
    "cddpm_ssl": "cDDPM SSL",
}
DATASET_NAMES = {
    AVERAGE: "Mean",
    "ixi": "IXI",
    "brats21": "BraTS21",
    "mslub": "MSLUB",
    "atlas": "ATLAS",
    "wmh": "WMH",
}
ENSEMBLE_SUFFIX = "_ens"
SCORE_COLUMNS = [
    *("subject", "modality", "gamma", "metric", "value"),
    *("method", "fold", "dataset"),
]


@dataclass(frozen=True)
class Metric:
    """How a metric is shown: times `scale`, with `digits` after the point."""

    label: str
    scale: float
    digits: int
    higher_is_better: bool


METRICS = {
    "dice": Metric("Dice %", 100, 1, True),
    "auprc": Metric("AUPRC %", 100, 1, True),
    "precision": Metric("Precision %", 100, 1, True),
    "recall": Metric("Recall %", 100, 1, True),
    "ssim": Metric("SSIM %", 100, 1, True),
    "psnr": Metric("PSNR (dB)", 1, 1, True),
    "lpips": Metric("LPIPS (10\u207b\u00b3)", 1000, 2, False),
    "l1": Metric("l1 (10\u207b\u00b3)", 1000, 1, False),
    "l1_ratio": Metric("l1 ratio", 1, 2, True),
}

SPREAD_NOTE = (
    "Mean over folds \u00b1 standard deviation over folds (a dash: there is one fold only). "
    "In brackets the {confidence:.0f} % bootstrap interval of the mean over subjects. "
    "The best method of a column is in bold."
)

TABLE_STYLE = """
table.numbers{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.87rem;
 border-top:1.5px solid #333;border-bottom:1.5px solid #333;margin:.4rem 0}
table.numbers th,table.numbers td{padding:.3rem .45rem;text-align:right;white-space:nowrap}
table.numbers thead th{font-weight:600;vertical-align:bottom}
table.numbers thead th.col_heading{text-align:center}
table.words thead th.col_heading{text-align:left}
table.numbers thead tr:last-child th{border-bottom:1px solid #333}
table.numbers tbody th,table.numbers td.text{text-align:left;font-weight:500}
table.numbers td.text{white-space:normal;font-weight:400}
table.numbers tbody th:last-of-type{position:sticky;left:0;background:#fff}
table.numbers tbody tr+tr>*{border-top:1px solid #e4e4e4}
table.numbers .spread{color:#666}
table.numbers .interval{display:block;color:#767676;font-size:.8em;font-weight:400}
table.numbers td.best{font-weight:700}
p.note{color:#555;font-size:.85rem;max-width:46rem;line-height:1.45;margin:.5rem 0}
.scroll{overflow-x:auto}
"""


def method_name(method: str) -> str:
    """A method as people write it: cddpm_ssl_ens is cDDPM SSL ENS; an unknown one is itself."""
    base = method.removesuffix(ENSEMBLE_SUFFIX)
    name = METHOD_NAMES.get(base, base)
    return f"{name} ENS" if base != method else name


def model_name(model: str) -> str:
    """As `method_name`; the pretraining of the encoder is named by what it is."""
    return "SparK pretraining" if model == PRETRAINING else method_name(model)


def dataset_name(dataset: str, modality: str | None = None) -> str:
    """A data set as people write it, with its modality where given: BraTS21 T2."""
    name = DATASET_NAMES.get(dataset, dataset)
    return f"{name} {modality.upper()}" if modality else name


def gather_scores(
    paths: Sequence[Path], *, methods: Sequence[str], folds: Sequence[int], datasets: Sequence[str]
) -> pd.DataFrame:
    """Stack score files into one tidy table; the three lists name each file's origin.

    No file (no data set has lesion masks) gives the columns without rows.
    """
    frames = [
        read_table(path).assign(method=method, fold=fold, dataset=dataset)
        for path, method, fold, dataset in zip(paths, methods, folds, datasets, strict=True)
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=SCORE_COLUMNS)


def summarize_scores(
    scores: pd.DataFrame,
    *,
    metrics: Sequence[str],
    bootstrap: BootstrapSettings,
    extra: Sequence[str] = (),
) -> pd.DataFrame:
    """One row per method, data set, modality, `extra` column and metric, in the order of scores.

    The numbers are those of `statistics.summarize`: mean and sd over folds, interval over
    subjects. An undefined score (NaN) does not count; `subjects` are those that do.
    """
    keys = ["method", "dataset", "modality", *extra, "metric"]
    chosen = scores[scores["metric"].isin(list(metrics))]
    rows = [
        dict(zip(keys, key, strict=True)) | asdict(summarize(group, bootstrap))
        for key, group in chosen.groupby(keys, sort=False)
    ]
    return pd.DataFrame(rows, columns=[*keys, *(field.name for field in fields(Summary))])


def number(value: float, metric: str) -> str:
    """One number as shown, scaled and rounded; a dash where there is none."""
    shown = METRICS.get(metric, Metric(metric, 1, 3, True))
    return DASH if pd.isna(value) else f"{value * shown.scale:.{shown.digits}f}"


def signed(value: float, metric: str) -> str:
    """As `number`, with its sign: a difference."""
    text = number(value, metric)
    return text if text == DASH else f"+{text}".replace("+-", MINUS)


def with_average(summary: pd.DataFrame) -> pd.DataFrame:
    """Add the plain mean over the data sets as a further data set, where there are several."""
    if summary[["dataset", "modality"]].drop_duplicates().shape[0] < 2:
        return summary
    keys = [name for name in ("method", "gamma", "metric") if name in summary]
    mean = summary.groupby(keys, sort=False, as_index=False)["mean"].mean()
    return pd.concat([summary, mean.assign(dataset=AVERAGE, modality="")], ignore_index=True)


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
    block = (
        [f"{GREEK[extra]} = {value:g}" for value in shown[extra]] if extra else [""] * len(shown)
    )
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


def write_text(text: str, path: Path) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def page(*, title: str, body: str) -> str:
    """A small HTML page of its own around a table."""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}'
        '</title><meta name="viewport" content="width=device-width, initial-scale=1"><style>'
        "body{font-family:system-ui,sans-serif;margin:1.2rem;color:#1d1d1f;background:#fff}"
        f"h1{{font-size:1.15rem}}{TABLE_STYLE}</style></head><body>\n"
        f"<h1>{html.escape(title)}</h1>\n{body}\n</body></html>\n"
    )
