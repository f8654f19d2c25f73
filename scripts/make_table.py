"""Write one table of the report: its numbers as TSV, and the formatted table as HTML and LaTeX."""

from importlib import import_module
from pathlib import Path
from typing import Any

from brainuad.io import job
from brainuad.io.markup import to_html
from brainuad.io.tables import write_table
from brainuad.report import paths_by_name
from brainuad.report.arguments import read_arguments
from brainuad.report.labels import Labels
from brainuad.report.pages.pages import page, write_text


def main(
    *,
    module: str,
    title: str,
    caption: str,
    labels: dict[str, Any],
    tsv: Path,
    html: Path,
    tex: Path,
    **arguments: Any,
) -> None:
    """Call `tabulate` of a module in report/tables/ with the files and values that it takes.

    The TSV holds fractions, the page and the LaTeX show per cent; the caption is on the page.
    """
    tabulate = import_module(f"brainuad.report.tables.{module}").tabulate
    table = tabulate(**read_arguments(arguments), labels=Labels(**labels))
    write_table(table.tidy, tsv)
    body = f'{table.html}<p class="note">{to_html(caption)}</p>'
    write_text(page(title=title, body=body), html)
    write_text(table.latex, tex)
    job.log(f"{len(table.tidy)} rows")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            module=snakemake.params.module,
            title=snakemake.params.title,
            caption=snakemake.params.caption,
            labels=snakemake.params.labels,
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
            **paths_by_name(snakemake.input),
            **paths_by_name(snakemake.params.other_files),
            **snakemake.params.arguments,
        )
