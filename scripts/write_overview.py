"""Write one self-contained page on the whole run: conclusions, tables, figures, decisions, run."""

from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.io import job
from brainuad.io.tables import read_table
from brainuad.report.labels import Labels
from brainuad.report.pages import overview
from brainuad.report.pages.conclusions import conclusions
from brainuad.report.pages.noticed import noticed
from brainuad.report.pages.pages import body_of, write_text
from brainuad.report.tables.layout import plain_table


def main(
    *,
    segmentation: list[Path],
    contrast: Path | None,
    comparison: Path | None,
    tables: list[Path],
    figures: list[Path],
    quality: list[Path],
    left_out: Path,
    thresholds: Path | None,
    template_facts: Path | None,
    output: Path,
    title: str,
    phantoms: bool,
    without_model: list[str],
    sections: dict[str, list[dict[str, Any]]],
    labels: dict[str, Any],
    cohort_labels: dict[str, str],
    decisions: list[list[str]],
) -> None:
    """Build the page from the pages of the tables and from PNG or SVG figures.

    segmentation, contrast, comparison  tidy TSV tables from which the conclusions are written; a
                                        run that applies a bundle has the first at most
    quality                             tables of write_quality_page
    left_out, thresholds                the TSV tables of these names
    template_facts                      None if all data sets come preprocessed
    without_model                       the methods that use no network
    sections, labels, cohort_labels     those of the register
    decisions                           places and texts of the `# ASSUME` comments
    """
    measures = {path.stem.removeprefix("quality_"): read_table(path) for path in quality}
    checked = overview.quality_of(measures, cohort_labels)
    facts = read_table(template_facts) if template_facts else None
    page = overview.render(
        title=title,
        phantoms=phantoms,
        conclusions=conclusions(
            gather(segmentation),
            contrast=read_table(contrast) if contrast else None,
            comparison=read_table(comparison) if comparison else None,
            without_model=without_model,
            labels=Labels(**labels),
        ),
        noticed=noticed(
            read_table(left_out),
            checked,
            read_table(thresholds) if thresholds else None,
            Labels(**labels),
        ),
        sections=sections,
        tables={path.stem: body_of(path) for path in tables},
        figures={path.stem: path for path in figures},
        quality=checked,
        registered_to=overview.registered_to(facts, checked),
        template=None
        if facts is None
        else plain_table(facts.set_axis(["Template", "Value"], axis="columns")),
        decisions=decisions,
    )
    write_text(page, output)
    job.log(f"{len(tables)} tables, {len(figures)} figures, {len(page) / 1e6:.1f} MB")


def gather(segmentation: list[Path]) -> pd.DataFrame:
    """The rows of all tables of segmentation, each once: a method may be in two tables."""
    tables = [read_table(path) for path in segmentation]
    return pd.concat(tables, ignore_index=True).drop_duplicates() if tables else pd.DataFrame()


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        contrast, facts = snakemake.input.contrast, snakemake.input.template_facts
        comparison, thresholds = snakemake.input.comparison, snakemake.input.thresholds
        main(
            segmentation=[Path(path) for path in snakemake.input.segmentation],
            contrast=Path(contrast[0]) if contrast else None,
            comparison=Path(comparison[0]) if comparison else None,
            tables=[Path(path) for path in snakemake.input.tables],
            figures=[Path(path) for path in snakemake.input.figures],
            quality=[Path(path) for path in snakemake.input.quality],
            left_out=Path(snakemake.input.left_out),
            thresholds=Path(thresholds[0]) if thresholds else None,
            template_facts=Path(facts[0]) if facts else None,
            output=Path(snakemake.output.html),
            title=snakemake.params.title,
            phantoms=snakemake.params.phantoms,
            without_model=list(snakemake.params.without_model),
            sections=snakemake.params.sections,
            labels=snakemake.params.labels,
            cohort_labels=snakemake.params.cohort_labels,
            decisions=snakemake.params.decisions,
        )
