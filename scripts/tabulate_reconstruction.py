"""The reconstruction table: l1, SSIM, PSNR and LPIPS where healthy, the l1 ratio where not."""

from pathlib import Path
from typing import Any

from brainuad.io import job
from brainuad.report.tables.files import tabulate_scores

METRICS = ["ssim", "psnr", "lpips", "l1", "l1_ratio", "l1_ratio_released"]
NOTE = (
    "Healthy test subjects: SSIM and PSNR, higher is better; l1 and, where its weights were given, "
    "LPIPS, lower is better. Lesion sets: the l1 ratio, the mean residual of lesion voxels over "
    "that of healthy ones, within the brain and, as released, of all voxels with the background; "
    "higher is better."
)


def main(
    *, scores: list[Path], tsv: Path, html: Path, tex: Path, **origins_and_bootstrap: Any
) -> None:
    """Summarize all scores; the TSV holds the plain values, page and LaTeX show them scaled."""
    tabulate_scores(
        scores,
        **origins_and_bootstrap,
        metrics=METRICS,
        shown=METRICS,
        title="Quality of reconstruction",
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
