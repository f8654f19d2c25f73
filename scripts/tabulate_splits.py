"""Who trained, who set thresholds and who was tested, and what was wrong with released lists."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd

from brainuad.datasets.released_splits import (
    IN_NO_LIST,
    IN_OTHER_VALIDATION,
    KEPT,
    LEAKS,
    NO_USABLE_SCAN,
    REPEATED_ROW,
)
from brainuad.datasets.splits import TEST, TRAIN, VALIDATION
from brainuad.io import job, tables
from brainuad.report.names import dataset_name
from brainuad.report.pages import pages as report_pages
from brainuad.report.tables import layout as report_tables

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
NOTE = (
    "Train, validation and test count the subjects as drawn or listed: those whose scans were then "
    "lost in preprocessing are among them, and stand in the table of what was left out. "
    "A leak is a subject that stands on two sides of a fold. Unless it is kept, it is taken out of "
    "the training part before validation, and out of validation before test. Repeated rows are "
    "always dropped; a subject that several folds validate with is only counted. The files "
    "results/splits/*/fold*_findings.tsv name every subject."
)


def main(
    *,
    splits: list[Path],
    findings: list[Path],
    datasets: list[str],
    folds: list[int],
    sources: list[str],
    tsv: Path,
    html: Path,
) -> None:
    """Write one row per data set and fold; the page names the leaks.

    The lists are parallel; `sources` says in words where each split comes from.
    """
    rows, leaks = [], []
    for split, found, dataset, fold, source in zip(
        splits, findings, datasets, folds, sources, strict=True
    ):
        frame = tables.read_table(found)
        facts = {"dataset": dataset, "fold": fold, "source": source}
        rows.append(facts | counts(tables.read_table(split), frame))
        leaks.append(frame[frame["finding"].isin(LEAKS)].assign(dataset=dataset, fold=fold))
    table = pd.DataFrame(rows)
    tables.write_table(table, tsv)
    shown = table.assign(dataset=[dataset_name(dataset) for dataset in table["dataset"]])
    body = (
        in_words(table)
        + report_tables.plain_table(shown[list(HEADINGS)].rename(columns=HEADINGS))
        + leaks_html(pd.concat(leaks, ignore_index=True))
        + f'<p class="note">{NOTE}</p>'
    )
    report_pages.write_text(report_pages.page(title="Splits", body=body), html)
    job.log(f"{len(table)} splits, {table['leaks'].sum()} leaks, {table['leaks_kept'].sum()} kept")


def counts(split: pd.DataFrame, findings: pd.DataFrame) -> dict[str, int]:
    """The sizes of the partitions, and how often each kind of finding occurs."""
    leaks = findings[findings["finding"].isin(LEAKS)]
    return {
        **{side: int((split["partition"] == side).sum()) for side in (TRAIN, VALIDATION, TEST)},
        "repeated_rows": int((findings["finding"] == REPEATED_ROW).sum()),
        "leaks": len(leaks),
        "leaks_kept": int((leaks["action"] == KEPT).sum()),
        "validation_overlaps": int((findings["finding"] == IN_OTHER_VALIDATION).sum()),
        "no_usable_scan": int((findings["finding"] == NO_USABLE_SCAN).sum()),
        "in_no_list": int((findings["finding"] == IN_NO_LIST).sum()),
    }


def in_words(table: pd.DataFrame) -> str:
    """Which splits made the numbers, a line for each data set."""
    lines = []
    for (dataset, source), rows in table.groupby(["dataset", "source"], sort=False):
        line = f"{dataset_name(dataset)}: {source}"
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


def leaks_html(leaks: pd.DataFrame) -> str:
    """The subjects on two sides by name, a row for each fold and kind."""
    if leaks.empty:
        return "<p>No subject stands on two sides of a fold.</p>"
    groups = leaks.groupby(["dataset", "fold", "finding", "action"], sort=False)["subject"]
    shown = pd.DataFrame(
        [
            (dataset_name(dataset), fold, finding, len(names), action, ", ".join(names))
            for (dataset, fold, finding, action), names in groups
        ],
        columns=["Data set", "Fold", "Leak", "Subjects", "Action", "Names"],
    )
    return f"<h3>Subjects on two sides</h3>{report_tables.plain_table(shown)}"


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            splits=[Path(path) for path in snakemake.input.splits],
            findings=[Path(path) for path in snakemake.input.findings],
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            **snakemake.params,
        )
