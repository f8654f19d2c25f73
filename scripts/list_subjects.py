"""List the subjects of a data set's raw tree: who can be used, who is left out and why."""

from pathlib import Path

import pandas as pd

from brainuad.datasets.copies import leave_out_copies
from brainuad.datasets.demographics import (
    find_demographics,
    read_demographics,
    table_named,
    with_demographics,
)
from brainuad.datasets.layouts import LayoutOptions, find_subjects, labels_of, load_layout
from brainuad.datasets.subjects import (
    LEFT_OUT,
    OK,
    PARTIAL,
    Expected,
    check_subjects,
    subject_table,
)
from brainuad.io import job, tables
from brainuad.io.errors import ScanError, SettingsError
from brainuad.io.scan_names import name_of_row


def main(
    *,
    root: Path,
    downloads: Path,
    output: Path,
    remarks: Path,
    layout: str,
    dataset: str,
    modalities: list[str],
    lesions: bool,
    lesion_labels: list[int] | None,
    ignored_labels: list[int] | None,
    exclude: list[str],
    files: dict[str, str] | None,
    table: str | None,
    part: str | None,
    demographics: str | None,
    on_broken: str,
    threads: int,
) -> None:
    """Find the subjects under `root`, read all their files once, and write the subject table.

    A row is a subject, or a subject at one session. It is left out if it lacks its lesion mask or
    all of the modalities, and partial if it lacks some of them. A broken file counts as missing,
    unless `on_broken` is "stop": then the first one is an error. If subjects share a scan, one of
    them is kept.

    downloads  the folder as downloaded; it differs from `root` if archives were unpacked to `root`.
               Tables that the config names are looked for there first, and then in `root`
    lesion_labels, ignored_labels  None for those of the layout
    remarks    gets a line on each row of the demographics that names no subject, and on subjects
               without such a row
    """
    known = load_layout(layout)
    options = LayoutOptions(
        modalities=tuple(modalities),
        lesions=lesions,
        files=files,
        table=table,
        part=part,
        downloads=downloads,
    )
    people_table = (
        find_demographics([downloads, root], known.demographics)
        if demographics is None
        else table_named(demographics, [downloads, root])
    )
    try:
        labels = labels_of(known, lesion_labels, ignored_labels)
        expected = Expected(
            modalities=modalities,
            lesions=lesions,
            labels=labels.known,
            lesion_labels=labels.lesion,
            lesions_on_own_grid=known.lesions_on_own_grid,
            brain_masks=known.brain_masks,
            exclude=frozenset(exclude),
        )
        found = find_subjects(layout, root, options)
        remarked = []
        if people_table is not None:
            found, remarked = with_demographics(found, read_demographics(people_table))
        checked = check_subjects(found, expected, threads=threads)
    except SettingsError as error:
        raise SettingsError(f"{dataset}: {error}") from None
    for remark in remarked:
        job.log(remark)
    if on_broken == "stop":
        for entry in checked:
            if entry.broken:
                raise ScanError(entry.reason)
    listed = leave_out_copies(subject_table(checked, expected))
    for _, row in listed[listed["status"] != OK].iterrows():
        job.log(f"{name_of_row(row)} {row['status']}: {row['reason']}")
    left_out = listed[listed["status"] == LEFT_OUT]
    if len(left_out) == len(listed):
        raise SettingsError(
            f"{dataset}: none of the {len(listed)} subjects under {root} can be used; "
            f"the first one: {left_out['reason'].iloc[0]}"
        )
    tables.write_table(listed, output)
    tables.write_table(pd.DataFrame({"remark": remarked}, dtype=str), remarks)
    people = listed["subject"].nunique()
    whole = f"{people} subject{'s' * (people > 1)}"
    rows = "subjects" if people == len(listed) else f"sessions of {whole}"
    job.log(
        f"{dataset}: {len(listed) - len(left_out)} of {len(listed)} {rows} can be used, "
        f"{sum(listed['status'] == PARTIAL)} of them in part; "
        f"the age of {listed['age'].count()} is known"
    )


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            root=Path(snakemake.params.root),
            downloads=Path(snakemake.params.downloads),
            output=Path(snakemake.output.subjects),
            remarks=Path(snakemake.output.remarks),
            dataset=snakemake.wildcards.dataset,
            threads=snakemake.threads,
            **{
                name: snakemake.params[name]
                for name in (
                    *("layout", "modalities", "lesions", "lesion_labels", "ignored_labels"),
                    *("exclude", "files", "table", "part", "demographics", "on_broken"),
                )
            },
        )
