"""Training and validation loss of every model against optimiser steps, in small multiples."""

from pathlib import Path

from brainuad.io import job, tables
from brainuad.report import names
from brainuad.report.figures import charts
from brainuad.report.figures import style as figures


def main(*, histories: list[Path], labels: list[str], svg: Path, png: Path) -> None:
    """Draw a panel per model and modality, a line per fold; labels are "model/modality/fold0".

    A model that needs no training (an empty history) has no panel.
    """
    panels: dict[str, dict] = {}
    for label, path in zip(labels, histories, strict=True):
        history = tables.read_table(path)
        if history.dropna(subset=["training_loss"]).empty:
            job.log(f"{label}: nothing was trained")
            continue
        model, modality, fold = label.split("/")
        title = f"{names.model_name(model)}, {modality.upper()}"
        panels.setdefault(title, {})[fold] = history
    with figures.house_style():
        figures.save_figure(charts.training_curves(panels), svg=svg, png=png)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            histories=[Path(path) for path in snakemake.input.histories],
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
            **snakemake.params,
        )
