"""The table under changed contrast: Dice and AUPRC with each scan's intensities raised to gamma."""

from pathlib import Path
from typing import Any

from brainuad import job, report_tables
from brainuad.settings import settings_from
from brainuad.statistics import BootstrapSettings

METRICS = ["dice", "auprc"]
NOTE = (
    " The number before a method is gamma: the intensities x in [0, 1] of each scan became "
    "x to the power of gamma. No model was trained anew; thresholds were fitted "
    "on validation subjects under the same change."
)


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
    """Summarize the scores for each gamma; best is best among the methods under one gamma."""
    settings = settings_from(BootstrapSettings, bootstrap)
    gathered = report_tables.gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    summary = report_tables.summarize_scores(
        gathered, metrics=METRICS, bootstrap=settings, extra=["gamma"]
    )
    report_tables.write_results(
        report_tables.with_average(summary),
        metrics=METRICS,
        title="Segmentation under changed contrast",
        note=report_tables.SPREAD_NOTE.format(confidence=100 * settings.confidence) + NOTE,
        tsv=tsv,
        html_path=html,
        tex=tex,
        extra="gamma",
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
