"""Our numbers beside those of another run of this workflow, row by row, and the difference."""

from pathlib import Path

from brainuad import job
from brainuad.report import other_run, report_pages
from brainuad.tables import write_table


def main(
    *, ours: list[Path], others: list[Path], name: str, tsv: Path, html: Path, tex: Path
) -> None:
    """Set our tables (tidy, as tabulated) beside those of the run that is called `name`.

    The TSV holds both in our units (fractions), the page and the LaTeX show them scaled.
    """
    table = other_run.beside_run(other_run.read_results(ours), other_run.read_results(others))
    write_table(table, tsv)
    body = other_run.run_html(table, name=name)
    page = report_pages.page(title=f"Beside the run \u201c{name}\u201d", body=body)
    report_pages.write_text(page, html)
    report_pages.write_text(other_run.run_latex(table), tex)
    job.log(f"{table['difference'].notna().sum()} of {len(table)} numbers are in both runs")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            ours=[Path(path) for path in snakemake.input.ours],
            others=[Path(path) for path in snakemake.input.others],
            name=snakemake.params.name,
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
        )
