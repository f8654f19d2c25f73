"""Rows that are written as soon as they are known, so that an interrupted run keeps them."""

import csv
import os
from dataclasses import fields
from datetime import date
from pathlib import Path

from machine import described
from measuring import Row

COLUMNS = [
    *("device", "machine", "date", "stage"),
    *(field.name for field in fields(Row)),
    *("ratio", "met"),
]


def is_dry() -> bool:
    """Whether this is a dry run: a CPU instead of the GPU, and everything in miniature."""
    return "ON_GPU_DRY" in os.environ


def device_name() -> str:
    """The device of this run, as the config names it."""
    return "cpu" if is_dry() else "cuda"


def work_folder() -> Path:
    """A folder of this run for files that are no results."""
    return Path(os.environ["ON_GPU_WORK"])


def begin(path: Path) -> None:
    """Write an empty table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t").writerow(COLUMNS)


def write(row: Row) -> None:
    """Append a row to the table of this run, and print it."""
    record = {name: _rounded(value) for name, value in row.record().items()}
    record |= {
        # A row of a dry run is never taken for one of a GPU.
        "device": "dry" if is_dry() else "cuda",
        "machine": described()[device_name()],
        "date": date.today().isoformat(),
        "stage": os.environ["ON_GPU_STAGE"],
    }
    with Path(os.environ["ON_GPU_RESULTS"]).open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, COLUMNS, delimiter="\t").writerow(record)
        file.flush()
        os.fsync(file.fileno())
    goal = f" (goal {row.goal}: {row.met})" if row.goal else ""
    print(f"{row.what}: {row.value:.4g} {row.unit}{goal}")


def value_of(what: str) -> float | None:
    """The value of an earlier row, or None."""
    with Path(os.environ["ON_GPU_RESULTS"]).open(encoding="utf-8", newline="") as file:
        values = [
            row["value"] for row in csv.DictReader(file, delimiter="\t") if row["what"] == what
        ]
    return float(values[-1]) if values else None


def _rounded(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else value
