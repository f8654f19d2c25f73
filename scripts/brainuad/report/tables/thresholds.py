"""What thresholds decide, for readers: Dice by the threshold, and false alarms in healthy brains.

As HTML and LaTeX, from the summaries of `calibration` and `detection`.
"""

from collections.abc import Callable

import pandas as pd

from brainuad.evaluation.calibration import ON_TEST, PLACE, fitted_beside_best
from brainuad.evaluation.detection import FALSE_POSITIVES
from brainuad.report.metric_formats import METRICS, VOLUMES_NOTE, number, signed
from brainuad.report.names import dataset_name, method_name
from brainuad.report.tables.layout import (
    NO_SCORES_HTML,
    NO_SCORES_LATEX,
    escape,
    html_cell,
    html_of,
    html_table,
    latex_cell,
    latex_of,
    latex_table,
    lay_out,
)

VOLUMES = [FALSE_POSITIVES, "median_ml", "percentile_95_ml", "share_clean"]
FALSE_POSITIVES_NOTE = (
    "The volume called anomalous in healthy test brains, all of which is false, at the threshold "
    "that was fitted on the validation subjects of each lesion set of the same modality. Mean over "
    "folds \u00b1 standard deviation over folds (a dash: there is one fold only), in brackets its "
    "{confidence:.0f} % bootstrap interval over subjects; median and 95th percentile over "
    "{subjects} subjects, each with its mean over folds. A scan is clean if nothing in it is "
    "called anomalous. The best method at a threshold is in bold; a method that finds nothing has "
    f"no false alarms either, so read this beside Dice. {VOLUMES_NOTE}"
)
CALIBRATION_NOTE = (
    "Mean over folds of the mean Dice over test subjects, in per cent. Own: at the threshold that "
    "was fitted on the data set's validation subjects. Best: at the one that the test subjects "
    "themselves would choose, fold by fold, before small components are removed; nobody can know "
    "it, and what lies between the two is what the fitting lost."
)
MATRIX_NOTE = (
    "Data sets (columns) segmented with the threshold of each (rows) of the same modality. In "
    "brackets: what is won or lost against the data set's own threshold, in percentage points. "
    "All as fractions, with intervals over subjects, in calibration.tsv."
)
FITTED_AND_BEST = {"fitted": "Own", "best": "Best", "difference": "Own \u2212 best"}


def false_positives_html(table: pd.DataFrame, *, confidence: float) -> str:
    """What `detection.false_positive_volumes` gives, a table per healthy set and modality.

    confidence is the mass of the intervals in (0, 1).
    """
    if table.empty:
        return NO_SCORES_HTML
    parts = [
        html_table(_long(part), metrics=VOLUMES, extra="fitted_on", cell=_html_volume)
        for _, part in table.groupby(["dataset", "modality"], sort=False)
    ]
    counts = sorted(set(table["subjects"]))
    subjects = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
    note = FALSE_POSITIVES_NOTE.format(confidence=100 * confidence, subjects=subjects)
    return f'{"".join(parts)}<p class="note">{note}</p>'


def false_positives_latex(table: pd.DataFrame) -> str:
    """As `false_positives_html`, for LaTeX."""
    if table.empty:
        return NO_SCORES_LATEX
    return "\n".join(
        latex_table(_long(part), metrics=VOLUMES, extra="fitted_on", cell=_latex_volume)
        for _, part in table.groupby(["dataset", "modality"], sort=False)
    )


def calibration_html(table: pd.DataFrame) -> str:
    """What `calibration.summarize_thresholds` gives: fitted beside best, then all thresholds."""
    if table.empty:
        return NO_SCORES_HTML
    parts = [html_of(_fitted_beside_best(table)), f'<p class="note">{CALIBRATION_NOTE}</p>']
    for modality, part in table.groupby("modality", sort=False):
        parts.append(f"<h3>Thresholds of other data sets, {modality.upper()}</h3>")
        parts.append(html_of(_matrix(part, _html_dice)))
    return f'{"".join(parts)}<p class="note">{MATRIX_NOTE}</p>'


def calibration_latex(table: pd.DataFrame) -> str:
    """As `calibration_html`, for LaTeX."""
    if table.empty:
        return NO_SCORES_LATEX
    parts = [latex_of(_fitted_beside_best(table).map(escape))]
    parts += [
        latex_of(_matrix(part, _latex_dice)) for _, part in table.groupby("modality", sort=False)
    ]
    return "\n".join(parts)


def _long(table: pd.DataFrame) -> pd.DataFrame:
    """A row per measure, each with its mean; only that of the volume has a spread."""
    labelled = table.assign(fitted_on=[threshold_name(name) for name in table["fitted_on"]])
    keys = ["method", "dataset", "modality", "fitted_on"]
    others = labelled[[*keys, *VOLUMES[1:]]].melt(keys, var_name="metric", value_name="mean")
    return pd.concat([labelled, others], ignore_index=True)


def _html_volume(record: pd.Series) -> str:
    if record["metric"] == FALSE_POSITIVES:
        return html_cell(record)
    return number(record["mean"], record["metric"])


def _latex_volume(record: pd.Series) -> str:
    if record["metric"] == FALSE_POSITIVES:
        return latex_cell(record)
    mean = number(record["mean"], record["metric"])
    return rf"\textbf{{{mean}}}" if record["best"] else mean


def _fitted_beside_best(table: pd.DataFrame) -> pd.DataFrame:
    """Texts as methods x (data set; own, best, difference)."""
    pairs = fitted_beside_best(table).set_index(PLACE)
    methods = list(dict.fromkeys(table["method"]))
    texts = {}
    for dataset, modality in dict.fromkeys(zip(table["dataset"], table["modality"], strict=True)):
        for name, label in FITTED_AND_BEST.items():
            show = signed if name == "difference" else number
            values = pairs[name].reindex([(method, dataset, modality) for method in methods])
            texts[dataset_name(dataset, modality), label] = [show(v, "dice") for v in values]
    return pd.DataFrame(texts, [method_name(method) for method in methods])


def _matrix(table: pd.DataFrame, cell: Callable[[pd.Series], str]) -> pd.DataFrame:
    """Texts as (method, threshold) x data sets of one modality."""
    label = METRICS["dice"].label
    datasets = list(dict.fromkeys(table["dataset"]))
    fitted_on = [name for name in (*datasets, ON_TEST) if name in set(table["fitted_on"])]
    methods = list(dict.fromkeys(table["method"]))
    pairs = zip(table["method"], table["fitted_on"], strict=True)
    shown = table.assign(
        row=[(method_name(method), threshold_name(name)) for method, name in pairs],
        column=[(dataset_name(name), label) for name in table["dataset"]],
    )
    rows = [(method_name(method), threshold_name(name)) for method in methods for name in fitted_on]
    columns = [(dataset_name(name), label) for name in datasets]
    return lay_out(shown, rows=rows, columns=columns, cell=cell)[0]


def threshold_name(fitted_on: str) -> str:
    """A threshold as people call it: by its data set, or the best one on test."""
    return "Best on test" if fitted_on == ON_TEST else f"Threshold of {dataset_name(fitted_on)}"


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
