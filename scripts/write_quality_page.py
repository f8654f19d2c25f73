"""A page with a picture and the measures of every scan of a data set, the doubtful ones first."""

import shutil
from pathlib import Path

import pandas as pd
from PIL import Image

from brainuad.io import job, tables
from brainuad.preprocessing import quality
from brainuad.preprocessing.chunks import read_left_out
from brainuad.report.pages import pages as report_pages
from brainuad.report.quality import page as quality_page


def main(
    *,
    batches: list[Path],
    subjects: Path,
    page: Path,
    measures: Path,
    dataset: str,
    modality: str,
) -> None:
    """Join the batches of inspect_scans: the folder `page` with index.html, and a tidy table."""
    measured = [tables.read_table(batch / "measures.tsv") for batch in batches]
    names = ["subject", *(measure.name for measure in quality.MEASURES)]
    table = pd.concat(measured, ignore_index=True) if measured else pd.DataFrame(columns=names)
    left_out = pd.concat(
        [
            quality_page.left_out_when_listed(tables.read_table(subjects), modality=modality),
            *(read_left_out(batch) for batch in batches),
        ],
        ignore_index=True,
    )
    table = quality_page.with_unmeasured(quality.judged(table), left_out)
    with job.replacing(page) as folder:
        pictures = folder / "pictures"
        pictures.mkdir(parents=True)
        for batch in batches:
            for picture in sorted(batch.glob("*.png")):
                shutil.copyfile(picture, pictures / picture.name)
        first = next(iter(sorted(pictures.iterdir())), None)
        text = quality_page.render(
            table,
            left_out=left_out,
            dataset=dataset,
            modality=modality,
            picture_size=Image.open(first).size if first else None,
        )
        report_pages.write_text(text, folder / "index.html")
    tables.write_table(table, measures)
    job.log(f"{len(table)} scans, {int(table['marked'].sum())} of them marked")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            batches=[Path(path) for path in snakemake.input.batches],
            subjects=Path(snakemake.input.subjects),
            page=Path(snakemake.output.page),
            measures=Path(snakemake.output.measures),
            **snakemake.params,
        )
