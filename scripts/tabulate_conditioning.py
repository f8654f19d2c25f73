"""The table of conditioning: l1 of reconstructions whose encoder saw a part of each slice."""

from pathlib import Path
from typing import Any

from brainuad.config.settings import settings_from
from brainuad.evaluation.statistics import BootstrapSettings
from brainuad.evaluation.summaries import gather_scores, summarize_scores
from brainuad.io import job
from brainuad.report.tables import conditioning as conditioning_tables
from brainuad.report.tables.files import SPREAD_NOTE, write_tables

NOTE = (
    "The encoder saw that share of each slice's width, and background in place of the rest; the "
    "diffusion model itself got the whole slice, noised at timestep t (1000 is pure noise). l1 is "
    "over the brain voxels of all slices of all test subjects, and the two parts of the brain are "
    "the same in all columns. A method without an encoder paints the same for all shares."
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
    """Summarize the measures; best is best among the methods of one timestep.

    The TSV holds the plain values, page and LaTeX show them scaled.
    """
    settings = settings_from(BootstrapSettings, bootstrap)
    gathered = gather_scores(scores, methods=methods, folds=folds, datasets=datasets)
    summary = summarize_scores(
        gathered,
        metrics=[conditioning_tables.METRIC],
        bootstrap=settings,
        extra=conditioning_tables.EXTRA,
    )
    note = f"{SPREAD_NOTE.format(confidence=100 * settings.confidence)} {NOTE}"
    write_tables(
        summary,
        title="Reconstruction where the encoder sees a part",
        body=f'{conditioning_tables.conditioning_html(summary)}<p class="note">{note}</p>',
        latex=conditioning_tables.conditioning_latex(summary),
        tsv=tsv,
        html=html,
        tex=tex,
    )
    job.log(f"{len(gathered)} measures of {len(scores)} files in {len(summary)} rows")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scores=[Path(path) for path in snakemake.input.scores],
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
            **snakemake.params,
        )
