"""The reconstruction table: l1, SSIM and PSNR on healthy brains, the l1 ratio on lesion sets."""

from pathlib import Path
from typing import Any

from brainuad import job, report_tables
from brainuad.settings import settings_from
from brainuad.statistics import BootstrapSettings

METRICS = ["ssim", "psnr", "l1", "l1_ratio"]
NOTE = (
    " Healthy test subjects of IXI: SSIM and PSNR, higher is better; l1, lower is better. Lesion "
    "sets: the mean residual of lesion voxels over that of healthy ones, higher is better."
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
    """Summarize all scores; the TSV holds the plain values, page and LaTeX show them scaled."""
    settings = settings_from(BootstrapSettings, bootstrap)
    gathered = report_tables.gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    summary = report_tables.summarize_scores(gathered, metrics=METRICS, bootstrap=settings)
    report_tables.write_results(
        summary,
        metrics=METRICS,
        title="Quality of reconstruction",
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
