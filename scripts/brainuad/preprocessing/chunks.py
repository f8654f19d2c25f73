"""Scans in batches: one process for many scans, and a broken scan does not stop the others.

A batch is a folder with one folder per subject and `left_out.tsv` (subject, stage, reason), which
every stage carries on to the next.
"""

import shutil
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path

import pandas as pd

from brainuad.io import job, tables
from brainuad.io.errors import ScanError

LEFT_OUT = "left_out.tsv"
COLUMNS = ["subject", "stage", "reason"]


class OnBroken(StrEnum):
    """What a broken scan does: it is left out and listed, or it stops the run."""

    LEAVE_OUT = "leave_out"
    STOP = "stop"


def process_batch(
    source: Path,
    target: Path,
    *,
    stage: str,
    process: Callable[[Path, Path], None],
) -> None:
    """Run `process(folder_in, folder_out)` on each subject folder of `source`, in sorted order.

    A ScanError leaves the subject out: its reason goes to `target`/left_out.tsv below the rows of
    the earlier stages, and what it had already written is removed.
    """
    process_subjects(
        subject_names(source),
        target,
        stage=stage,
        process=lambda subject, folder: process(source / subject, folder),
        earlier=read_left_out(source),
    )


def process_subjects(
    subjects: Sequence[str],
    target: Path,
    *,
    stage: str,
    process: Callable[[str, Path], None],
    earlier: pd.DataFrame | None = None,
) -> None:
    """As `process_batch`, for the first stage: `process(subject, folder_out)` finds the scan."""
    rows = []
    with job.replacing(target) as batch:
        batch.mkdir()
        for number, subject in enumerate(subjects, start=1):
            folder = batch / subject
            folder.mkdir()
            try:
                process(subject, folder)
            except ScanError as error:
                shutil.rmtree(folder)
                rows.append((subject, stage, " ".join(str(error).split())))
                job.log(f"{stage}: {subject} left out: {error}")
            else:
                job.log(f"{stage}: {subject} done ({number} of {len(subjects)})")
        left_out = pd.DataFrame(rows, columns=COLUMNS, dtype=str)
        if earlier is not None and not earlier.empty:
            left_out = pd.concat([earlier, left_out], ignore_index=True)
        tables.write_table(left_out, batch / LEFT_OUT)


def subject_names(batch: Path) -> list[str]:
    """The subjects of a batch, sorted."""
    return sorted(folder.name for folder in batch.iterdir() if folder.is_dir())


def read_left_out(batch: Path) -> pd.DataFrame:
    """The scans that this and earlier stages left out: subject, stage, reason."""
    return tables.read_table(batch / LEFT_OUT)
