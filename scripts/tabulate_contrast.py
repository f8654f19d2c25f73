"""The table under changed contrast: Dice and AUPRC with each scan's intensities raised to gamma."""

from pathlib import Path
from typing import Any

from brainuad.io import job
from brainuad.report.tables.files import tabulate_scores

METRICS = ["dice", "auprc"]
NOTE = (
    "The number before a method is gamma: the intensities x of each scan became "
    "x to the power of gamma. No model was trained anew; thresholds were fitted "
    "on validation subjects under the same change."
)


def main(
    *, scores: list[Path], tsv: Path, html: Path, tex: Path, **origins_and_bootstrap: Any
) -> None:
    """Summarize the scores for each gamma; best is best among the methods under one gamma."""
    tabulate_scores(
        scores,
        **origins_and_bootstrap,
        metrics=METRICS,
        shown=METRICS,
        average=True,
        extra="gamma",
        title="Segmentation under changed contrast",
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
