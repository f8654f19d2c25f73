"""The main table: Dice and AUPRC of each method on each lesion set, from the subjects' scores."""

from pathlib import Path
from typing import Any

from brainuad import job, report_tables
from brainuad.settings import settings_from
from brainuad.statistics import BootstrapSettings

TIDY = ["dice", "auprc", "precision", "recall"]
SHOWN = ["dice", "auprc"]
NOTE = " The last columns are the plain mean over the data sets."


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
    gathered = report_tables.gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    summary = report_tables.summarize_scores(gathered, metrics=TIDY, bootstrap=settings)
    report_tables.write_results(
        report_tables.with_average(summary),
        metrics=SHOWN,
        title="Segmentation of lesions",
        note=report_tables.SPREAD_NOTE.format(confidence=100 * settings.confidence) + NOTE,
        tsv=tsv,
        html_path=html,
        tex=tex,
    )
    job.log(f"{len(gathered)} scores of {len(scores)} files in {len(summary)} rows")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scores=[Path(path) for path in snakemake.input.scores],
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
            **snakemake.params,
        )
