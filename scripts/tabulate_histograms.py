"""The table of histograms: how far the intensities of reconstructions are from those of scans."""

from pathlib import Path
from typing import Any

from brainuad.io import job
from brainuad.report.tables.files import tabulate_scores

METRICS = ["entropy_difference", "kl_divergence"]
NOTE = (
    "The number before a method is gamma: the intensities x of each scan became x to the "
    "power of gamma before it was reconstructed. No model was trained anew. Histograms are of the "
    "healthy voxels of the brain. The entropy difference, of the scans less that of the "
    "reconstructions, is that of all test subjects together, so it has no interval over subjects; "
    "the paper prints it as KLD, and the best is the one nearest to zero. The KL divergence is "
    "that of each subject's reconstruction from its scan. Both are in nats."
)


def main(
    *, scores: list[Path], tsv: Path, html: Path, tex: Path, **origins_and_bootstrap: Any
) -> None:
    """Summarize the measures for each gamma; best is best among the methods under one gamma."""
    tabulate_scores(
        scores,
        **origins_and_bootstrap,
        metrics=METRICS,
        shown=METRICS,
        extra="gamma",
        title="Intensities of scans and reconstructions",
        note=NOTE,
        tsv=tsv,
        html=html,
        tex=tex,
    )


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            scores=[Path(path) for path in snakemake.input.scores],
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
            **snakemake.params,
        )
