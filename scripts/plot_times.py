"""Seconds per volume of each method, as bars."""

from pathlib import Path

from brainuad.io import job
from brainuad.io.tables import read_table
from brainuad.report.figures import style as figures
from brainuad.report.figures import time_charts


def main(*, table: Path, svg: Path, png: Path) -> None:
    """Draw what `tabulate_times` wrote: a bar per method, a panel per modality."""
    summary = read_table(table)
    styles = figures.method_styles(list(dict.fromkeys(summary["method"])))
    with figures.house_style():
        figure = time_charts.seconds_per_volume(summary, styles=styles)
        figures.save_figure(figure, svg=svg, png=png)
    job.log(f"{summary['method'].nunique()} methods")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            table=Path(snakemake.input.table),
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
        )
