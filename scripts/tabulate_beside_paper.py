"""Our numbers beside the paper's and those of an independent rerun, and the difference."""

from pathlib import Path

import pandas as pd

from brainuad.evaluation.paper import beside_paper
from brainuad.io import job
from brainuad.io.tables import read_table
from brainuad.report.tables import paper as paper_tables
from brainuad.report.tables.files import write_tables


def main(
    *, ours: list[Path], printed: list[Path], rerun: Path, tsv: Path, html: Path, tex: Path
) -> None:
    """Set our tables (tidy, as tabulated) beside the printed ones, a row per printed number.

    `rerun` is what others measured with the authors' code. The TSV holds all in our units
    (fractions), the page and the LaTeX show them scaled.
    """
    # A table without rows has columns without a type.
    measured = pd.concat([read_table(path) for path in ours]).astype({"mean": float, "sd": float})
    table = beside_paper(
        measured,
        pd.concat([read_table(path) for path in printed], ignore_index=True),
        read_table(rerun),
    )
    write_tables(
        table,
        title="Beside the paper",
        body=paper_tables.paper_html(table),
        latex=paper_tables.paper_latex(table),
        tsv=tsv,
        html=html,
        tex=tex,
    )
    job.log(f"{table['ours'].notna().sum()} of {len(table)} numbers were measured")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            ours=[Path(path) for path in snakemake.input.ours],
            printed=[Path(path) for path in snakemake.input.printed],
            rerun=Path(snakemake.input.rerun),
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
        )
