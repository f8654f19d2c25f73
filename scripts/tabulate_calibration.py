"""Dice on each lesion set by the threshold of each, and by the best possible one."""

from pathlib import Path
from typing import Any

from brainuad import job
from brainuad.evaluation.calibration import summarize_thresholds
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.report import report_pages, score_tables, threshold_tables
from brainuad.settings import settings_from
from brainuad.tables import write_table


def main(
    *,
    scores: list[Path],
    methods: list[str],
    folds: list[int],
    datasets: list[str],
    tsv: Path,
    html: Path,
    tex: Path,
    bootstrap: dict[str, Any],
) -> None:
    """Summarize all scores; the TSV holds fractions, the page and the LaTeX show per cent."""
    settings = settings_from(BootstrapSettings, bootstrap)
    gathered = score_tables.gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    table = summarize_thresholds(gathered, settings)
    write_table(table, tsv)
    body = threshold_tables.calibration_html(table)
    report_pages.write_text(report_pages.page(title="Calibration of thresholds", body=body), html)
    report_pages.write_text(threshold_tables.calibration_latex(table), tex)
    job.log(f"{len(gathered)} scores of {len(scores)} files in {len(table)} rows")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scores=[Path(path) for path in snakemake.input.scores],
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
            **snakemake.params,
        )
