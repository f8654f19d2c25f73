"""Intensities of scans and of their reconstructions in one scan set, under changed contrasts."""

from pathlib import Path

import numpy as np

from brainuad.io import job
from brainuad.report import names
from brainuad.report.figures import histogram_charts
from brainuad.report.figures import style as figures
from brainuad.report.figures.histogram_charts import Histograms


def main(
    *,
    histograms: list[Path],
    methods: list[str],
    dataset: str,
    modality: str,
    svg: Path,
    png: Path,
) -> None:
    """Draw a row per method and a column per gamma."""
    read = {method: read_histograms(path) for method, path in zip(methods, histograms, strict=True)}
    with figures.house_style():
        figure = histogram_charts.densities_by_gamma(
            read, styles=figures.method_styles(methods), title=names.dataset_name(dataset, modality)
        )
        figures.save_figure(figure, svg=svg, png=png)
    job.log(f"drawn: {', '.join(methods)}")


def read_histograms(path: Path) -> Histograms:
    """What `compare_histograms` wrote."""
    with np.load(path) as arrays:
        return Histograms(**{name: arrays[name] for name in Histograms.__dataclass_fields__})


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            histograms=[Path(path) for path in snakemake.input.histograms],
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
            **snakemake.params,
        )
