"""Every scan that was left out, at which stage and why."""

from pathlib import Path

import pandas as pd

from brainuad import job, overview, report_tables, tables

COLUMNS = ["dataset", "modality", "subject", "stage", "reason"]
LISTING = "listing"


def main(
    *,
    subjects: list[Path],
    left_out: list[Path],
    datasets: list[str],
    left_out_names: list[str],
    tsv: Path,
    html: Path,
) -> None:
    """Join subject tables (stage `listing`) with what the stages of preprocessing left out.

    `datasets` names the subject tables, `left_out_names` ("brats21_t2") the other files.
    """
    listed = {
        dataset: tables.read_table(path) for dataset, path in zip(datasets, subjects, strict=True)
    }
    rows = [
        frame[frame["status"] == "left_out"].assign(dataset=dataset, modality="", stage=LISTING)
        for dataset, frame in listed.items()
    ]
    for name, path in zip(left_out_names, left_out, strict=True):
        dataset, _, modality = name.rpartition("_")
        rows.append(tables.read_table(path).assign(dataset=dataset, modality=modality))
    table = pd.concat([frame.reindex(columns=COLUMNS) for frame in rows], ignore_index=True)
    table = table.drop_duplicates(ignore_index=True)
    tables.write_table(table, tsv)
    listed_subjects = sum(len(frame) for frame in listed.values())
    body = overview.left_out_html(table) + (
        f'<p class="note">{listed_subjects} subjects were found in the raw data.</p>'
    )
    report_tables.write_text(report_tables.page(title="Scans left out", body=body), html)
    job.log(f"{len(table)} scans were left out")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            subjects=[Path(path) for path in snakemake.input.subjects],
            left_out=[Path(path) for path in snakemake.input.left_out],
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            **snakemake.params,
        )
