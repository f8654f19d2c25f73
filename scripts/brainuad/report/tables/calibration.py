"""Dice on each lesion set by the threshold of each, and by the best possible one."""

from collections.abc import Callable, Iterator

import pandas as pd

from brainuad.evaluation.calibration import PLACE, fitted_beside_best, summarize_thresholds
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.thresholds import ON_HEALTHY, ON_TEST
from brainuad.report.labels import Labels
from brainuad.report.metric_formats import number, signed
from brainuad.report.tables import Table
from brainuad.report.tables.layout import (
    NO_SCORES_HTML,
    NO_SCORES_LATEX,
    escape,
    html_of,
    latex_of,
    lay_out,
)

FITTED_AND_BEST = {"fitted": "Own", "best": "Best", "difference": "Own \u2212 best"}


def tabulate(
    scores: pd.DataFrame,
    *,
    bootstrap: BootstrapSettings,
    labels: Labels,
) -> Table:
    """The own threshold beside the best one, then all thresholds, a table per modality."""
    summary = summarize_thresholds(
        scores,
        bootstrap,
    )
    if summary.empty:
        return Table(summary, NO_SCORES_HTML, NO_SCORES_LATEX)
    own_and_best = _fitted_beside_best(summary, labels)
    page = [html_of(own_and_best)] + [
        f"<h3>Thresholds of other data sets, {modality.upper()}</h3>{html_of(texts)}"
        for modality, texts in _matrices(summary, labels, _html_dice)
    ]
    latex = [latex_of(own_and_best.map(escape))] + [
        latex_of(texts) for _, texts in _matrices(summary, labels, _latex_dice)
    ]
    return Table(summary, "".join(page), "\n".join(latex))


def _fitted_beside_best(summary: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Texts as methods x (data set; own, best, difference)."""
    pairs = fitted_beside_best(summary).set_index(PLACE)
    methods = list(dict.fromkeys(summary["method"]))
    texts = {}
    for place in dict.fromkeys(zip(summary["dataset"], summary["modality"], strict=True)):
        for name, label in FITTED_AND_BEST.items():
            show = signed if name == "difference" else number
            values = pairs[name].reindex([(method, *place) for method in methods])
            texts[labels.cohort(*place), label] = [show(value, "dice") for value in values]
    return pd.DataFrame(texts, [labels.method(method) for method in methods])


def _matrices(
    summary: pd.DataFrame, labels: Labels, cell: Callable[[pd.Series], str]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each modality with its texts, (method, threshold) x data sets."""
    for modality, part in summary.groupby("modality", sort=False):
        names = {name: labels.lesion_set(name, modality) for name in dict.fromkeys(part["dataset"])}
        thresholds = {
            name: f"Threshold of {labels.threshold(name, modality)}"
            for name in [*names, *ON_HEALTHY]
        }
        thresholds[ON_TEST] = "Best on test"
        fitted_on = [name for name in thresholds if name in set(part["fitted_on"])]
        dice = labels.metric("dice")
        pairs = zip(part["method"], part["fitted_on"], strict=True)
        shown = part.assign(
            row=[(labels.method(method), thresholds[name]) for method, name in pairs],
            column=[(names[name], dice) for name in part["dataset"]],
        )
        rows = [
            (labels.method(method), thresholds[name])
            for method in dict.fromkeys(part["method"])
            for name in fitted_on
        ]
        columns = [(label, dice) for label in names.values()]
        yield modality, lay_out(shown, rows=rows, columns=columns, cell=cell)[0]


def _html_dice(record: pd.Series) -> str:
    mean, difference = number(record["mean"], "dice"), _to_own(record)
    return f'{mean} <span class="spread">{difference}</span>' if difference else mean


def _latex_dice(record: pd.Series) -> str:
    return escape(f"{number(record['mean'], 'dice')} {_to_own(record)}".rstrip())


def _to_own(record: pd.Series) -> str:
    """The difference to the set's own threshold in brackets; nothing for that one itself."""
    if record["fitted_on"] == record["dataset"] or pd.isna(record["to_own"]):
        return ""
    return f"({signed(record['to_own'], 'dice')})"
