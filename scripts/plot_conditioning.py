"""Reconstructions of healthy slices, the condition taken from a part or from all of the slice."""

from pathlib import Path

import numpy as np

from brainuad.io import job
from brainuad.report import names
from brainuad.report.figures import conditioning_panels
from brainuad.report.figures import style as figures
from brainuad.report.figures.conditioning_panels import CutConditions


def main(
    *,
    reconstructions: list[Path],
    methods: list[str],
    dataset: str,
    modality: str,
    svg: Path,
    png: Path,
) -> None:
    """Draw a row per subject and timestep, and a column per method and share."""
    files = zip(methods, reconstructions, strict=True)
    read = {method: read_reconstructions(path) for method, path in files}
    with figures.house_style():
        if read:
            title = f"{names.dataset_name(dataset, modality)}: what the encoder sees"
            figure = conditioning_panels.draw_conditioning(read, title=title)
        else:
            figure = figures.note_figure("No method was reconstructed with a cut condition.")
        figures.save_figure(figure, svg=svg, png=png)
    job.log(f"drawn: {', '.join(methods)}")


def read_reconstructions(path: Path) -> CutConditions:
    """What `reconstruct_with_cut_condition` wrote."""
    with np.load(path) as arrays:
        return CutConditions(**{name: arrays[name] for name in CutConditions.__dataclass_fields__})


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            reconstructions=[Path(path) for path in snakemake.input.reconstructions],
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
            **snakemake.params,
        )
