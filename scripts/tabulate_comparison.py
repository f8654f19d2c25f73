"""One method against each other row of the tables: differences, intervals and paired tests."""

from pathlib import Path
from typing import Any

from brainuad.config.settings import settings_from
from brainuad.evaluation.comparison import compare
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import gather_scores
from brainuad.io import job
from brainuad.report import names
from brainuad.report.tables import comparison as comparison_tables
from brainuad.report.tables.files import write_tables


def main(
    *,
    scores: list[Path],
    methods: list[str],
    folds: list[int],
    datasets: list[str],
    method: str,
    rounds: int,
    tsv: Path,
    html: Path,
    tex: Path,
    bootstrap: dict[str, Any],
) -> None:
    """Compare `method` with all others that have scores; `rounds` are those of the tests.

    The TSV holds fractions, the page and the LaTeX show per cent. Of fewer than two subjects
    nothing can be said, and there is no row.
    """
    settings = settings_from(BootstrapSettings, bootstrap)
    gathered = gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    table = compare(
        gathered,
        method=method,
        others=list(dict.fromkeys(methods)),
        metrics=comparison_tables.COMPARED,
        rounds=rounds,
        bootstrap=settings,
    )
    table = table[table["subjects"] > 1]
    write_tables(
        table,
        title=f"{names.method_name(method)} against the others",
        body=comparison_tables.comparison_html(table, confidence=settings.confidence),
        latex=comparison_tables.comparison_latex(table),
        tsv=tsv,
        html=html,
        tex=tex,
    )
    job.log(f"{len(gathered)} scores of {len(scores)} files in {len(table)} tests")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scores=[Path(path) for path in snakemake.input.scores],
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
            **snakemake.params,
        )
