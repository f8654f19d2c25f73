"""One method against each other row of the tables: differences, intervals and paired tests."""

from pathlib import Path
from typing import Any

from brainuad import job
from brainuad.evaluation.comparison import compare
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.report import names, report_pages, score_tables, statistics_tables
from brainuad.settings import settings_from
from brainuad.tables import write_table


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
    gathered = score_tables.gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    table = compare(
        gathered,
        method=method,
        others=list(dict.fromkeys(methods)),
        metrics=statistics_tables.COMPARED,
        rounds=rounds,
        bootstrap=settings,
    )
    table = table[table["subjects"] > 1]
    write_table(table, tsv)
    body = statistics_tables.comparison_html(table, confidence=settings.confidence)
    title = f"{names.method_name(method)} against the others"
    report_pages.write_text(report_pages.page(title=title, body=body), html)
    report_pages.write_text(statistics_tables.comparison_latex(table), tex)
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
