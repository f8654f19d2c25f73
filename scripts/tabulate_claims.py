"""What the paper claims, held against our tables: the paper's number, ours and the verdict."""

from pathlib import Path

from brainuad.evaluation.claims import evaluate_claims
from brainuad.io import job
from brainuad.io.tables import read_table
from brainuad.report.tables import paper as paper_tables
from brainuad.report.tables.files import write_tables


def main(*, ours: list[Path], claims: Path, tsv: Path, html: Path, tex: Path) -> None:
    """Judge each claim by our tables (tidy, as tabulated); of two numbers the first table's counts.

    The TSV holds numbers in our units (fractions), the page and the LaTeX show the printed ones.
    """
    table = evaluate_claims(read_table(claims), [read_table(path) for path in ours])
    write_tables(
        table,
        title="Claims of the paper",
        body=paper_tables.claims_html(table),
        latex=paper_tables.claims_latex(table),
        tsv=tsv,
        html=html,
        tex=tex,
    )
    job.log(", ".join(f"{count} {name}" for name, count in table["verdict"].value_counts().items()))


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            ours=[Path(path) for path in snakemake.input.ours],
            claims=Path(snakemake.input.claims),
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
        )
