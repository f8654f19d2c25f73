"""One self-contained page that shows the whole run: finding, tables, figures, run details."""

from pathlib import Path

from brainuad import job, overview, report_tables, tables


def main(
    *,
    segmentation: Path,
    reconstruction: Path,
    contrast: Path | None,
    left_out: Path,
    run: Path,
    precision_recall: list[Path],
    panels: list[Path],
    datasets: list[str],
    dice_by_volume: Path,
    training: Path,
    registration: list[Path],
    brain_masks: list[Path],
    scans: list[str],
    output: Path,
    title: str,
    phantoms: bool,
    confidence: float,
) -> None:
    """Build the page from the tidy TSV tables and from PNG or SVG figures.

    `datasets` ("brats21_t2") is parallel to `precision_recall` and `panels`, `scans` ("ixi_t1")
    to `registration` and `brain_masks`; `contrast` may be None.
    """
    scores = tables.read_table(segmentation)
    changed = tables.read_table(contrast) if contrast else None
    quality = zip(
        overview.pictures_of(registration, scans),
        overview.pictures_of(brain_masks, scans),
        strict=True,
    )
    page = overview.render(
        title=title,
        phantoms=phantoms,
        findings=overview.findings(scores, changed),
        note=report_tables.SPREAD_NOTE.format(confidence=100 * confidence),
        segmentation=report_tables.html_table(
            report_tables.with_average(scores), metrics=["dice", "auprc"]
        ),
        contrast=None
        if changed is None
        else report_tables.html_table(
            report_tables.with_average(changed), metrics=["dice", "auprc"], extra="gamma"
        ),
        reconstruction=report_tables.html_table(
            tables.read_table(reconstruction), metrics=["ssim", "psnr", "l1", "l1_ratio"]
        ),
        left_out=overview.left_out_html(tables.read_table(left_out)),
        run=overview.run_html(tables.read_table(run)),
        precision_recall=overview.pictures_of(precision_recall, datasets),
        panels=overview.pictures_of(panels, datasets),
        dice_by_volume=overview.Picture("all data sets", dice_by_volume),
        training=overview.Picture("all models", training),
        quality=[(pair[0].name, pair) for pair in quality],
    )
    report_tables.write_text(page, output)
    job.log(f"{len(page) / 1e6:.1f} MB")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        contrast = snakemake.input.get("contrast")
        main(
            segmentation=Path(snakemake.input.segmentation),
            reconstruction=Path(snakemake.input.reconstruction),
            contrast=Path(contrast) if contrast else None,
            left_out=Path(snakemake.input.left_out),
            run=Path(snakemake.input.run),
            precision_recall=[Path(path) for path in snakemake.input.precision_recall],
            panels=[Path(path) for path in snakemake.input.panels],
            dice_by_volume=Path(snakemake.input.dice_by_volume),
            training=Path(snakemake.input.training),
            registration=[Path(path) for path in snakemake.input.registration],
            brain_masks=[Path(path) for path in snakemake.input.brain_masks],
            output=Path(snakemake.output.html),
            **snakemake.params,
        )
