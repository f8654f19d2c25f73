"""Every subject, and every scan of one modality, that was left out: at which stage and why."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import pandas as pd

from brainuad.io.scan_names import name_of_row
from brainuad.io.tables import read_table
from brainuad.report.labels import Labels
from brainuad.report.tables import Table
from brainuad.report.tables.layout import plain_latex, plain_table

COLUMNS = ["dataset", "modality", "subject", "session", "stage", "reason"]
LISTING = "listing"


def tabulate(
    subjects: Sequence[Path],
    *,
    left_out: Sequence[Path],
    remarks: Sequence[Path],
    cohorts: Sequence[Sequence[str]],
    modalities: Mapping[str, Sequence[str]],
    labels: Labels,
) -> Table:
    """Join subject tables (stage `listing`) with what the stages of preprocessing left out.

    Subject tables, and the remarks on the tables of ages, which readers see too, are named by their
    data sets, whose `modalities` are given; `cohorts`, each a data set and a modality, are parallel
    to `left_out`.
    """
    listed = {path.stem: read_table(path) for path in subjects}
    rows = [missing_in(frame, dataset, modalities[dataset]) for dataset, frame in listed.items()]
    for (dataset, modality), path in zip(cohorts, left_out, strict=True):
        rows.append(read_table(path).assign(dataset=dataset, modality=modality))
    table = pd.concat([frame.reindex(columns=COLUMNS) for frame in rows], ignore_index=True)
    table = table.drop_duplicates(ignore_index=True)
    count = sum(frame["subject"].nunique() for frame in listed.values())
    said = {path.stem: read_table(path)["remark"].tolist() for path in remarks}
    return Table(
        table,
        f"{left_out_html(table, labels)}"
        f'<p class="note">{count} subjects were found in all data sets.</p>'
        f"{remarks_html(said, labels)}",
        plain_latex(left_out_texts(table, labels), columns="lllp{8cm}"),
    )


def missing_in(listed: pd.DataFrame, dataset: str, modalities: Sequence[str]) -> pd.DataFrame:
    """The rows that were left out (modality ""), and of partial ones each scan they lack."""
    missing = listed[listed["status"] != "ok"]
    lacking = [
        [name for name in modalities if pd.isna(row[name])] if row["status"] == "partial" else [""]
        for _, row in missing.iterrows()
    ]
    return missing.assign(dataset=dataset, modality=lacking, stage=LISTING).explode("modality")


def left_out_html(table: pd.DataFrame, labels: Labels) -> str:
    """What was left out as a table, or a sentence where there is nothing."""
    if table.empty:
        return '<p class="note">No subject and no scan was left out.</p>'
    return f"<p>Left out: {counts(table)}.</p>{plain_table(left_out_texts(table, labels))}"


def counts(table: pd.DataFrame) -> str:
    """How many were left out, in words: 1 whole subject and 3 single scans."""
    whole = "whole session" if (table["session"] != "").any() else "whole subject"
    scans = int(_is_scan(table).sum())
    numbers = {whole: len(table) - scans, "single scan": scans}
    return " and ".join(_counted(count, noun) for noun, count in numbers.items() if count)


def left_out_texts(table: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """A row without a modality is a whole subject or session, the others are scans."""
    places = zip(table["dataset"], table["modality"], _is_scan(table), strict=True)
    return pd.DataFrame(
        {
            "Data set": [
                labels.cohort(dataset, modality) if is_scan else labels.dataset(dataset)
                for dataset, modality, is_scan in places
            ],
            "Subject": [name_of_row(row) for row in table.to_dict("records")],
            "Stage": table["stage"],
            "Reason": table["reason"],
        }
    )


def _is_scan(table: pd.DataFrame) -> pd.Series:
    return table["modality"].notna() & (table["modality"] != "")


def _counted(count: int, noun: str) -> str:
    """A count with its noun: 1 whole subject, 3 single scans."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def remarks_html(remarks: Mapping[str, Sequence[str]], labels: Labels) -> str:
    """The remarks on the tables with age, sex and site, a line each; "" without any."""
    lines = [
        f"<li>{escape(f'{labels.dataset(dataset)}: {remark}')}.</li>"
        for dataset, of_dataset in remarks.items()
        for remark in of_dataset
    ]
    return f"<h3>Age, sex and site</h3><ul>{''.join(lines)}</ul>" if lines else ""
