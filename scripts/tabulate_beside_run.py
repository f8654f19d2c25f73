"""Our numbers beside those of another run of this workflow, row by row, and the difference."""

from pathlib import Path

from brainuad.evaluation.reference_run import beside_run, read_results
from brainuad.io import job
from brainuad.report.tables import reference_run as other_run_tables
from brainuad.report.tables.files import write_tables


def main(
    *, ours: list[Path], others: list[Path], name: str, tsv: Path, html: Path, tex: Path
) -> None:
    """Set our tables (tidy, as tabulated) beside those of the run that is called `name`.

    The TSV holds both in our units (fractions), the page and the LaTeX show them scaled.
    """
    table = beside_run(read_results(ours), read_results(others))
    write_tables(
        table,
        title=f"Beside the run \u201c{name}\u201d",
        body=other_run_tables.run_html(table, name=name),
        latex=other_run_tables.run_latex(table),
        tsv=tsv,
        html=html,
        tex=tex,
    )
    job.log(f"{table['difference'].notna().sum()} of {len(table)} numbers are in both runs")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            ours=[Path(path) for path in snakemake.input.ours],
            others=[Path(path) for path in snakemake.params.others],
            name=snakemake.params.name,
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
        )
