"""Dice at the thresholds of other data sets and at the best possible one, a heat map per set."""

from pathlib import Path

from brainuad.io import job
from brainuad.io.tables import read_table
from brainuad.report.figures import style as figures
from brainuad.report.figures.heat_maps import calibration_maps


def main(*, table: Path, svg: Path, png: Path) -> None:
    """Draw the table of tabulate_calibration."""
    summary = read_table(table)
    with figures.house_style():
        figures.save_figure(calibration_maps(summary), svg=svg, png=png)
    job.log(f"{len(summary)} cells")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            table=Path(snakemake.input.table),
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
        )
