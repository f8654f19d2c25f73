"""One figure of the report, as SVG and PNG."""

from importlib import import_module
from pathlib import Path
from typing import Any

from brainuad.io import job
from brainuad.report import paths_by_name
from brainuad.report.arguments import read_arguments
from brainuad.report.figures.style import house_style, save_figure, styles_from
from brainuad.report.labels import Labels


def main(
    *,
    module: str,
    labels: dict[str, Any],
    svg: Path,
    png: Path,
    styles: dict[str, dict[str, str]] | None = None,
    **arguments: Any,
) -> None:
    """Call `draw` of a module in report/figures/ with the files and values that are its arguments.

    `styles` gives the colour, line and marker of each method, for figures that show methods.
    """
    draw = import_module(f"brainuad.report.figures.{module}").draw
    if styles is not None:
        arguments["styles"] = styles_from(styles)
    with house_style():
        save_figure(draw(**read_arguments(arguments), labels=Labels(**labels)), svg=svg, png=png)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            module=snakemake.params.module,
            labels=snakemake.params.labels,
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
            **paths_by_name(snakemake.input),
            **snakemake.params.arguments,
        )
