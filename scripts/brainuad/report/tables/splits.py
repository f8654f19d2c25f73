"""Who trained, who set thresholds and who was tested, and what was wrong with released lists."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd

from brainuad.datasets.partitions import TEST, TRAIN, VALIDATION
from brainuad.datasets.released_splits import (
    IN_NO_LIST,
    IN_OTHER_VALIDATION,
    KEPT,
    LEAKS,
    NO_USABLE_SCAN,
    REPEATED_ROW,
)
from brainuad.io.job import log
from brainuad.io.tables import read_table
from brainuad.report.labels import Labels
from brainuad.report.tables import Table
from brainuad.report.tables.layout import plain_latex, plain_table

HEADINGS = {
    "dataset": "Data set",
    "fold": "Fold",
    TRAIN: "Train",
    VALIDATION: "Validation",
    TEST: "Test",
    "repeated_rows": "Repeated rows",
    "leaks": "Leaks",
    "leaks_kept": "Leaks kept",
    "validation_overlaps": "Validated in other folds too",
    "no_usable_scan": "No usable scan",
    "in_no_list": "In no list",
}


def tabulate(
    splits: Sequence[Path],
    *,
    problems: Sequence[Path],
    datasets: Sequence[str],
    folds: Sequence[int],
    sources: Sequence[str],
    labels: Labels,
) -> Table:
    """One row per data set and fold; readers see the leaks by name.

    The lists are parallel; `problems` are what was wrong with the released lists, `sources` say in
    words where each split comes from.
    """
    rows, leaks = [], []
    for split, found, dataset, fold, source in zip(
        splits, problems, datasets, folds, sources, strict=True
    ):
        frame = read_table(found)
        facts = {"dataset": dataset, "fold": fold, "source": source}
        rows.append(facts | counts(read_table(split), frame))
        leaks.append(frame[frame["problem"].isin(LEAKS)].assign(dataset=dataset, fold=fold))
    table = pd.DataFrame(rows)
    log(f"{len(table)} splits, {table['leaks'].sum()} leaks, {table['leaks_kept'].sum()} kept")
    shown = table.assign(dataset=list(map(labels.dataset, table["dataset"])))
    shown = shown[list(HEADINGS)].rename(columns=HEADINGS)
    return Table(
        table,
        in_words(table, labels)
        + plain_table(shown)
        + leaks_html(pd.concat(leaks, ignore_index=True), labels),
        plain_latex(shown.map(str), columns="l" + "r" * (shown.shape[1] - 1)),
    )


def counts(split: pd.DataFrame, problems: pd.DataFrame) -> dict[str, int]:
    """The subjects of each partition, and how often each kind of problem occurs."""
    leaks = problems[problems["problem"].isin(LEAKS)]
    return {
        **{
            side: split.loc[split["partition"] == side, "subject"].nunique()
            for side in (TRAIN, VALIDATION, TEST)
        },
        "repeated_rows": int((problems["problem"] == REPEATED_ROW).sum()),
        "leaks": len(leaks),
        "leaks_kept": int((leaks["action"] == KEPT).sum()),
        "validation_overlaps": int((problems["problem"] == IN_OTHER_VALIDATION).sum()),
        "no_usable_scan": int((problems["problem"] == NO_USABLE_SCAN).sum()),
        "in_no_list": int((problems["problem"] == IN_NO_LIST).sum()),
    }


def in_words(table: pd.DataFrame, labels: Labels) -> str:
    """Which splits made the numbers, a line for each data set."""
    lines = []
    for (dataset, source), rows in table.groupby(["dataset", "source"], sort=False):
        line = f"{labels.dataset(dataset)}: {source}"
        if rows["leaks"].any():
            fate = "kept" if rows["leaks_kept"].any() else "dropped"
            line += f"; subjects on two sides: {span(rows['leaks'])} per fold, {fate}"
        if rows["repeated_rows"].any():
            line += f"; repeated rows: {span(rows['repeated_rows'])} per fold, dropped"
        lines.append(f"<li>{escape(line)}.</li>")
    return f"<p>The splits that made the numbers:</p><ul>{''.join(lines)}</ul>"


def span(values: Sequence[int]) -> str:
    """The range of some counts: 8, or 7 to 9."""
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"


def leaks_html(leaks: pd.DataFrame, labels: Labels) -> str:
    """The subjects on two sides by name, a row for each fold and kind."""
    if leaks.empty:
        return "<p>No subject is in two partitions of a fold.</p>"
    groups = leaks.groupby(["dataset", "fold", "problem", "action"], sort=False)["subject"]
    shown = pd.DataFrame(
        [
            (labels.dataset(dataset), fold, problem, len(names), action, ", ".join(names))
            for (dataset, fold, problem, action), names in groups
        ],
        columns=["Data set", "Fold", "Leak", "Subjects", "Action", "Names"],
    )
    return f"<h3>Subjects on two sides</h3>{plain_table(shown)}"
