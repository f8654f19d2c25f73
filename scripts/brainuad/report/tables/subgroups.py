"""Results by subgroup for readers, as HTML and LaTeX: a row per group, a column per method."""

import html
from collections.abc import Iterator

import pandas as pd

from brainuad.report.metric_formats import DASH, METRICS, VOLUMES_NOTE, number
from brainuad.report.names import dataset_name, method_name
from brainuad.report.tables.layout import NO_SCORES_HTML, NO_SCORES_LATEX, html_of, latex_of

SHOWN = ["dice", "auprc"]
SEXES = {"f": "female", "m": "male"}
LATEX = {"<": "$<$", "\u2265": r"$\geq$", "&": r"\&", "#": r"\#"}
NOTE = (
    "Test subjects, each with its mean over folds, and beneath the mean the {confidence:.0f} % "
    "bootstrap interval over subjects (none of a lone one). Dice is at the threshold that was "
    "fitted on validation subjects of the whole data set. A subject of unknown age, sex or site is "
    "in no group of it. Larger lesions make both "
    "measures higher by themselves: by chance alone the AUPRC is the share of lesion voxels. So "
    "groups by age, sex or site may differ only because their lesions do; and of so many groups "
    f"some differ by chance. {VOLUMES_NOTE}"
)


def subgroups_html(table: pd.DataFrame, *, confidence: float) -> str:
    """What `subgroups.summarize_groups` gives, a table per data set and metric, with its note.

    confidence is the mass of the intervals in (0, 1).
    """
    if table.empty:
        return NO_SCORES_HTML
    parts = []
    for title, part in _parts(table):
        texts = _laid_out(part, interval=True)
        texts.index = texts.index.map(lambda row: tuple(html.escape(label) for label in row))
        parts.append(f"<h3>{title}</h3>{html_of(texts)}")
    return f'{"".join(parts)}<p class="note">{NOTE.format(confidence=100 * confidence)}</p>'


def subgroups_latex(table: pd.DataFrame) -> str:
    """As `subgroups_html` for LaTeX, without the intervals, for which a page is too narrow."""
    if table.empty:
        return NO_SCORES_LATEX
    parts = []
    for title, part in _parts(table):
        texts = _laid_out(part, interval=False)
        texts.index = texts.index.map(lambda row: tuple(_latex_label(label) for label in row))
        parts.append(f"% {title}\n{latex_of(texts)}")
    return "\n".join(parts)


def _parts(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each data set and metric, below a title such as "WMH T1, Dice %"."""
    for (dataset, modality), place in table.groupby(["dataset", "modality"], sort=False):
        for metric in SHOWN:
            part = place[place["metric"] == metric]
            if not part.empty:
                yield f"{dataset_name(dataset, modality)}, {METRICS[metric].label}", part


def _laid_out(part: pd.DataFrame, *, interval: bool) -> pd.DataFrame:
    """Texts as groups x (subjects, methods), all of one data set and metric."""
    rows = list(dict.fromkeys(zip(part["grouping"], part["group"], strict=True)))
    subjects = part.groupby(["grouping", "group"])["subjects"].max()
    cells = {
        (record["grouping"], record["group"], record["method"]): _cell(record, interval=interval)
        for _, record in part.iterrows()
    }
    texts = {"Subjects": [str(subjects[row]) for row in rows]} | {
        method_name(method): [cells.get((*row, method), DASH) for row in rows]
        for method in dict.fromkeys(part["method"])
    }
    index = [(grouping.capitalize(), SEXES.get(group, group)) for grouping, group in rows]
    return pd.DataFrame(texts, pd.MultiIndex.from_tuples(index))


def _cell(record: pd.Series, *, interval: bool) -> str:
    mean, low, high = (
        number(record[name], record["metric"]) for name in ("mean", "ci_low", "ci_high")
    )
    if not interval or low == DASH:
        return mean
    return f'{mean}<span class="interval">[{low}, {high}]</span>'


def _latex_label(label: str) -> str:
    for character, latex in LATEX.items():
        label = label.replace(character, latex)
    return label
