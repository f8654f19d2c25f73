"""What is known of the preprocessing of a cohort's scans; it lies beside their pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from brainuad.io.rows import read_rows, write_rows
from brainuad.io.scan_names import name_of_row
from brainuad.preprocessing.chunks import LeftOut, read_left_out, write_left_out

FLAGGED = "flagged.tsv"


@dataclass(frozen=True)
class ScanQuality:
    """What stands about the scans of a cohort.

    flagged   why the preprocessing of a scan stands out, by its name
    left_out  scans of the cohort that have no results
    """

    flagged: Mapping[str, str]
    left_out: list[LeftOut]

    def write(self, folder: Path) -> None:
        write_rows(("scan", "why"), self.flagged.items(), folder / FLAGGED)
        write_left_out(self.left_out, folder)


def written_quality(folder: Path) -> ScanQuality:
    """What `ScanQuality.write` wrote."""
    flagged = {row["scan"]: row["why"] for row in read_rows(folder / FLAGGED)}
    return ScanQuality(flagged, read_left_out(folder))


def quality_of_cohort(
    measures: Path, subjects: Path, left_out: Path, *, modality: str
) -> ScanQuality:
    """From the tables of write_quality_page, of the listed subjects, and of pack_slices."""
    flagged = {
        name_of_row(row): row["why"] for row in read_rows(measures) if row["flagged"] == "True"
    }
    listed = [
        LeftOut(name_of_row(row), "listing", row["reason"])
        for row in read_rows(subjects)
        if row["status"] == "left_out" or not row[modality]
    ]
    failed = [LeftOut(name_of_row(row), row["stage"], row["reason"]) for row in read_rows(left_out)]
    return ScanQuality(flagged, listed + failed)
