"""How well the brain was found: the outline of the brain mask over each scan."""

from pathlib import Path

import numpy as np
from scipy import ndimage

from brainuad import figures, job, panels, pictures, report_tables
from brainuad.metrics import volume_ml
from brainuad.volumes import check_same_grid, read_labels, read_volume


def main(
    *,
    resampled: list[Path],
    stripped: list[Path],
    dataset: str,
    modality: str,
    svg: Path,
    png: Path,
) -> None:
    """Draw up to twelve scans, evenly over the data set, through the middle of the brain mask."""
    scans = {folder.name: folder for folder in pictures.subject_folders(resampled)}
    masks = pictures.subject_folders(stripped)
    title = f"{report_tables.dataset_name(dataset, modality)}: brain masks"
    tiles = []
    for folder in pictures.evenly_chosen(masks, count=panels.TILES):
        scan = read_volume(scans[folder.name] / "image.nii.gz")
        mask = read_labels(folder / "brain_mask.nii.gz", expected=[1])
        check_same_grid(mask, scan, name=str(folder / "brain_mask.nii.gz"))
        brain = mask.data == 1
        middle = ndimage.center_of_mass(brain) if brain.any() else np.array(brain.shape) / 2
        tiles.append(
            panels.make_tile(
                scan.data,
                spacing=scan.spacing,
                masks=[brain],
                centre=np.array(middle),
                box=tuple(slice(None) for _ in brain.shape),
                caption=f"{folder.name}  ({volume_ml(brain, scan.affine):,.0f} ml)",
            )
        )
    with figures.house_style():
        figure = (
            panels.draw_mosaic(tiles, title=title, colour=pictures.MASK_COLOUR)
            if tiles
            else figures.note_figure(f"{title}: no scan came this far.")
        )
        figures.save_figure(figure, svg=svg, png=png)
    job.log(f"{len(tiles)} scans drawn")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            resampled=[Path(path) for path in snakemake.input.resampled],
            stripped=[Path(path) for path in snakemake.input.stripped],
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
            **snakemake.params,
        )
