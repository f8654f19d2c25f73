"""One self-contained page that shows the whole run: finding, tables, figures, run details."""

from pathlib import Path

from brainuad import (
    job,
    overview,
    report_pages,
    report_tables,
    score_tables,
    statistics_tables,
    tables,
)


def main(
    *,
    segmentation: Path,
    reconstruction: Path,
    contrast: Path | None,
    comparison: Path,
    beside_paper: Path | None,
    claims: Path | None,
    left_out: Path,
    run: Path,
    precision_recall: list[Path],
    panels: list[Path],
    datasets: list[str],
    dice_by_volume: Path,
    training: Path,
    quality: list[Path],
    scans: list[str],
    atlas_facts: Path | None,
    splits: Path,
    output: Path,
    title: str,
    phantoms: bool,
    confidence: float,
) -> None:
    """Build the page from the tidy TSV tables and from PNG or SVG figures.

    `datasets` ("brats21_t2") is parallel to `precision_recall` and `panels`, `scans` ("ixi_t1")
    to `quality`, the tables of write_quality_page. `contrast` may be None, and so may `atlas_facts`
    where all data sets come preprocessed. `beside_paper` and `claims` are None on phantoms alone.
    """
    scores = tables.read_table(segmentation)
    changed = tables.read_table(contrast) if contrast else None
    checked = overview.quality_of([tables.read_table(path) for path in quality], scans)
    facts = tables.read_table(atlas_facts) if atlas_facts else None
    page = overview.render(
        title=title,
        phantoms=phantoms,
        findings=overview.findings(scores, changed) if datasets else [overview.NO_LESION_MASKS],
        note=report_tables.SPREAD_NOTE.format(confidence=100 * confidence),
        segmentation=report_tables.html_table(
            score_tables.with_average(scores), metrics=["dice", "auprc"]
        ),
        contrast=None
        if changed is None
        else report_tables.html_table(
            score_tables.with_average(changed), metrics=["dice", "auprc"], extra="gamma"
        ),
        reconstruction=report_tables.html_table(
            tables.read_table(reconstruction), metrics=["ssim", "psnr", "l1", "l1_ratio"]
        ),
        comparison=statistics_tables.comparison_html(
            tables.read_table(comparison), confidence=confidence
        ),
        beside_paper=beside_paper and statistics_tables.paper_html(tables.read_table(beside_paper)),
        claims=claims and statistics_tables.claims_html(tables.read_table(claims)),
        left_out=overview.left_out_html(tables.read_table(left_out)),
        run=overview.run_html(tables.read_table(run)),
        precision_recall=overview.pictures_of(precision_recall, datasets),
        panels=overview.pictures_of(panels, datasets),
        dice_by_volume=overview.Picture("all data sets", dice_by_volume),
        training=overview.Picture("all models", training),
        quality=checked,
        registered_to=overview.registered_to(facts, checked),
        atlas=None
        if facts is None
        else report_tables.plain_table(facts.set_axis(["Atlas", "Value"], axis="columns")),
        splits=overview.splits_html(tables.read_table(splits)),
    )
    report_pages.write_text(page, output)
    job.log(f"{len(page) / 1e6:.1f} MB")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        contrast = snakemake.input.get("contrast")
        facts = snakemake.input.get("atlas_facts")
        beside_paper = snakemake.input.get("beside_paper")
        claims = snakemake.input.get("claims")
        main(
            segmentation=Path(snakemake.input.segmentation),
            reconstruction=Path(snakemake.input.reconstruction),
            contrast=Path(contrast) if contrast else None,
            comparison=Path(snakemake.input.comparison),
            beside_paper=Path(beside_paper[0]) if beside_paper else None,
            claims=Path(claims[0]) if claims else None,
            left_out=Path(snakemake.input.left_out),
            run=Path(snakemake.input.run),
            precision_recall=[Path(path) for path in snakemake.input.precision_recall],
            panels=[Path(path) for path in snakemake.input.panels],
            dice_by_volume=Path(snakemake.input.dice_by_volume),
            training=Path(snakemake.input.training),
            quality=[Path(path) for path in snakemake.input.quality],
            atlas_facts=Path(facts[0]) if facts else None,
            splits=Path(snakemake.input.splits),
            output=Path(snakemake.output.html),
            **snakemake.params,
        )
