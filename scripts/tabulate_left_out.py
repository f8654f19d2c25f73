"""Every subject, and every scan of one modality, that was left out: at which stage and why."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import pandas as pd

from brainuad.io import job, tables
from brainuad.report.names import dataset_name
from brainuad.report.pages import pages as report_pages
from brainuad.report.tables import run as run_tables

COLUMNS = ["dataset", "modality", "subject", "stage", "reason"]
LISTING = "listing"
MODALITIES = ("t1", "t2")


def main(
    *,
    subjects: list[Path],
    left_out: list[Path],
    remarks: list[Path],
    datasets: list[str],
    left_out_names: list[str],
    tsv: Path,
    html: Path,
) -> None:
    """Join subject tables (stage `listing`) with what the stages of preprocessing left out.

    `datasets` names the subject tables and the remarks on the tables of ages, which the page shows
    too; `left_out_names` ("brats21_t2") the other files.
    """
    listed = {
        dataset: tables.read_table(path) for dataset, path in zip(datasets, subjects, strict=True)
    }
    rows = []
    for dataset, frame in listed.items():
        missing = frame[frame["status"] != "ok"]
        modalities = [missing_modality(row) for _, row in missing.iterrows()]
        rows.append(missing.assign(dataset=dataset, modality=modalities, stage=LISTING))
    for name, path in zip(left_out_names, left_out, strict=True):
        dataset, _, modality = name.rpartition("_")
        rows.append(tables.read_table(path).assign(dataset=dataset, modality=modality))
    table = pd.concat([frame.reindex(columns=COLUMNS) for frame in rows], ignore_index=True)
    table = table.drop_duplicates(ignore_index=True)
    tables.write_table(table, tsv)
    listed_subjects = sum(len(frame) for frame in listed.values())
    said = {
        dataset: tables.read_table(path)["remark"].tolist()
        for dataset, path in zip(datasets, remarks, strict=True)
    }
    body = run_tables.left_out_html(table) + (
        f'<p class="note">{listed_subjects} subjects were found in all data sets.</p>'
        + remarks_html(said)
    )
    report_pages.write_text(report_pages.page(title="Left out", body=body), html)
    job.log(f"{len(table)} subjects and scans were left out")


def remarks_html(remarks: Mapping[str, Sequence[str]]) -> str:
    """The remarks on the tables with age, sex and site, a line each; "" without any."""
    lines = [
        f"<li>{escape(f'{dataset_name(dataset)}: {remark}')}.</li>"
        for dataset, of_dataset in remarks.items()
        for remark in of_dataset
    ]
    return f"<h3>Age, sex and site</h3><ul>{''.join(lines)}</ul>" if lines else ""


def missing_modality(row: pd.Series) -> str:
    """The modality that a partial subject cannot give; "" for a subject that is left out."""
    if row["status"] != "partial":
        return ""
    return next(modality for modality in MODALITIES if pd.isna(row[modality]))


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            subjects=[Path(path) for path in snakemake.input.subjects],
            left_out=[Path(path) for path in snakemake.input.left_out],
            remarks=[Path(path) for path in snakemake.input.remarks],
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            **snakemake.params,
        )
