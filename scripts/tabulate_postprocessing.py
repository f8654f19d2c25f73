"""The table of post-processing: Dice with all its steps, and with each left out in turn."""

from pathlib import Path
from typing import Any

from brainuad.io import job
from brainuad.report.tables.files import tabulate_scores
from brainuad.scores.postprocessing_variants import ALL_STEPS

METRICS = ["dice"]
NOTE = (
    "Where a step was left out, the number beneath is the difference to the same method with all "
    "steps, in percentage points, in place of the interval. The same reconstructions throughout; "
    "for each row thresholds were fitted anew on validation subjects."
)


def main(
    *, scores: list[Path], tsv: Path, html: Path, tex: Path, **origins_and_bootstrap: Any
) -> None:
    """Summarize the scores of each variant; best is best among the methods of one variant."""
    tabulate_scores(
        scores,
        **origins_and_bootstrap,
        metrics=METRICS,
        shown=METRICS,
        average=True,
        extra="variant",
        reference=ALL_STEPS,
        title="Segmentation without steps of post-processing",
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
