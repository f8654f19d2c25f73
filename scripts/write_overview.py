"""One self-contained page that shows the whole run: finding, tables, figures, decisions, run."""

from pathlib import Path

from brainuad.io import job
from brainuad.io.tables import read_table
from brainuad.report.pages import findings, overview
from brainuad.report.pages import pages as report_pages
from brainuad.report.tables import layout as report_tables


def main(
    *,
    segmentation: Path,
    contrast: Path | None,
    comparison: Path | None,
    tables: list[Path],
    table_names: list[str],
    figures: list[Path],
    figure_names: list[str],
    quality: list[Path],
    scans: list[str],
    atlas_facts: Path | None,
    sources: list[Path],
    output: Path,
    title: str,
    phantoms: bool,
) -> None:
    """Build the page from the pages of the tables and from PNG or SVG figures.

    `segmentation`, `contrast` and `comparison` are the tidy TSV tables that the finding is told
    from. `table_names` and `figure_names` ("panel_brats21") are parallel to their files, `scans`
    ("ixi_t1") to `quality`, the tables of write_quality_page. The decisions are collected from the
    Python files `sources`. `atlas_facts` may be None where all data sets come preprocessed.
    """
    checked = overview.quality_of([read_table(path) for path in quality], scans)
    facts = read_table(atlas_facts) if atlas_facts else None
    bodies = [report_pages.body_of(path) for path in tables]
    page = overview.render(
        title=title,
        phantoms=phantoms,
        findings=findings.findings(
            read_table(segmentation),
            contrast=read_table(contrast) if contrast else None,
            comparison=read_table(comparison) if comparison else None,
        ),
        tables=dict(zip(table_names, bodies, strict=True)),
        figures=dict(zip(figure_names, figures, strict=True)),
        quality=checked,
        registered_to=overview.registered_to(facts, checked),
        atlas=None
        if facts is None
        else report_tables.plain_table(facts.set_axis(["Atlas", "Value"], axis="columns")),
        sources=sources,
    )
    report_pages.write_text(page, output)
    job.log(f"{len(tables)} tables, {len(figures)} figures, {len(page) / 1e6:.1f} MB")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        contrast = snakemake.input.get("contrast")
        comparison = snakemake.input.get("comparison")
        facts = snakemake.input.get("atlas_facts")
        main(
            segmentation=Path(snakemake.input.segmentation),
            contrast=Path(contrast) if contrast else None,
            comparison=Path(comparison) if comparison else None,
            tables=[Path(path) for path in snakemake.input.tables],
            figures=[Path(path) for path in snakemake.input.figures],
            quality=[Path(path) for path in snakemake.input.quality],
            atlas_facts=Path(facts[0]) if facts else None,
            sources=[Path(path) for path in snakemake.input.sources],
            output=Path(snakemake.output.html),
            **snakemake.params,
        )
