"""A page with a picture and the measures of every scan of a cohort, the outliers first."""

import shutil
from pathlib import Path

import pandas as pd
from PIL import Image

from brainuad.io import job, tables
from brainuad.io.scan_names import name_of_row
from brainuad.preprocessing import outliers, quality
from brainuad.preprocessing.chunks import LeftOut, read_left_out
from brainuad.report.pages import pages as report_pages
from brainuad.report.quality import page as quality_page


def main(
    *,
    chunks: list[Path],
    subjects: Path,
    page: Path,
    measures: Path,
    name: str,
    dataset: str,
    modality: str,
) -> None:
    """Join the chunks of inspect_scans into the folder `page` with index.html, and a tidy table."""
    measured = [tables.read_table(chunk / "measures.tsv") for chunk in chunks]
    names = ["scan", *(measure.name for measure in quality.MEASURES)]
    table = pd.concat(measured, ignore_index=True) if measured else pd.DataFrame(columns=names)
    listed = tables.read_table(subjects)
    left_out = pd.concat(
        [
            quality_page.left_out_when_listed(listed, modality=modality),
            pd.DataFrame(
                [row for chunk in chunks for row in read_left_out(chunk)], columns=LeftOut._fields
            ),
        ],
        ignore_index=True,
    )
    table = quality_page.with_unmeasured(outliers.flag_outliers(table), left_out)
    with job.replacing(page) as folder:
        pictures = folder / "pictures"
        pictures.mkdir(parents=True)
        for chunk in chunks:
            for picture in sorted(chunk.glob("*.png")):
                shutil.copyfile(picture, pictures / picture.name)
        first = next(iter(sorted(pictures.iterdir())), None)
        text = quality_page.render(
            table,
            left_out=left_out,
            name=name,
            dataset=dataset,
            modality=modality,
            picture_size=Image.open(first).size if first else None,
        )
        report_pages.write_text(text, folder / "index.html")
    rows = {name_of_row(row): row for row in listed.to_dict("records")}
    for place, key in enumerate(("subject", "session")):
        table.insert(place, key, [rows[scan][key] for scan in table["scan"]])
    tables.write_table(table.drop(columns="scan"), measures)
    job.log(f"{len(table)} scans, {int(table['flagged'].sum())} of them flagged")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            chunks=[Path(path) for path in snakemake.input.chunks],
            subjects=Path(snakemake.input.subjects),
            page=Path(snakemake.output.page),
            measures=Path(snakemake.output.measures),
            name=snakemake.params.name,
            dataset=snakemake.params.dataset,
            modality=snakemake.params.modality,
        )
