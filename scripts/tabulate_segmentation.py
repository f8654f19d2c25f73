"""The main table: Dice and AUPRC of each method on each lesion set, from the subjects' scores."""

from pathlib import Path
from typing import Any

from brainuad.io import job
from brainuad.report.tables.files import tabulate_scores

TIDY = ["dice", "auprc", "precision", "recall"]
SHOWN = ["dice", "auprc"]
NOTE = "The last columns are the plain mean over the data sets."


def main(
    *, scores: list[Path], tsv: Path, html: Path, tex: Path, **origins_and_bootstrap: Any
) -> None:
    """Summarize all scores; the TSV holds fractions, the page and the LaTeX show per cent."""
    tabulate_scores(
        scores,
        **origins_and_bootstrap,
        metrics=TIDY,
        shown=SHOWN,
        average=True,
        title="Segmentation of lesions",
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
