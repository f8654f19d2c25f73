"""The files of the report, and of results for several values of a parameter."""

from collections.abc import Sequence

from brainuad.plan.grids import Grid
from brainuad.plan.study import Cohort

SCAN_INDEX = "results/report/scans/index.html"


def table_file(name: str, ending: str = "tsv") -> str:
    return f"results/report/tables/{name}.{ending}"


def figure_file(name: str, ending: str) -> str:
    return f"results/report/figures/{name}.{ending}"


def derivatives_folder(cohort: Cohort) -> str:
    return f"results/derivatives/{cohort.name}"


def scan_pages_folder(cohort: Cohort) -> str:
    return f"results/report/scans/{cohort.name}"


def varied(
    grid: Grid, folder: str, part: str, values: Sequence[float], ending: str = ".tsv"
) -> tuple[list[str], Grid]:
    """The file of each row at each value, such as t500 or gamma0.5, and the row of each file."""
    rows = [(row, value) for row in grid.rows for value in values]
    files = [
        f"{folder}/{method}/{part}{value:g}/fold{fold}/{cohort.name}{ending}"
        for (method, fold, cohort), value in rows
    ]
    return files, Grid(tuple(row for row, _ in rows))
