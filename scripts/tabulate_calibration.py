"""Dice on each lesion set by the threshold of each, and by the best possible one."""

from pathlib import Path
from typing import Any

from brainuad.config.settings import settings_from
from brainuad.evaluation.calibration import summarize_thresholds
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import gather_scores
from brainuad.io import job
from brainuad.report.tables import thresholds as threshold_tables
from brainuad.report.tables.files import write_tables


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
    gathered = gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    table = summarize_thresholds(gathered, settings)
    write_tables(
        table,
        title="Calibration of thresholds",
        body=threshold_tables.calibration_html(table),
        latex=threshold_tables.calibration_latex(table),
        tsv=tsv,
        html=html,
        tex=tex,
    )
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
