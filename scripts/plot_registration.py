"""How well the scans of a data set lie in the atlas: its edges drawn over the registered scans."""

from pathlib import Path

import numpy as np
from scipy import ndimage

from brainuad import figures, job, panels, pictures, report_tables
from brainuad.geometry import to_ras
from brainuad.volumes import check_same_grid, read_labels, read_volume

# Fluid nearer to the surface than this is sulci, too fine to be drawn.
RIM_MM = 20.0
SMALLEST_MM3 = 1000.0
# Beside the midline, where the lateral ventricle is, and not the cleft between the hemispheres.
BESIDE_MIDLINE_MM = 9.0


def main(
    *, batches: list[Path], atlas: Path, dataset: str, modality: str, svg: Path, png: Path
) -> None:
    """Draw up to twelve scans, evenly over the data set, with the atlas' brain and inner edges."""
    template = to_ras(read_volume(atlas))
    edges = atlas_edges(template.data, template.spacing)
    box = pictures.bounding_box(edges[0], margin=4)
    centre = np.array(ndimage.center_of_mass(edges[0]))
    centre[0] += BESIDE_MIDLINE_MM / template.spacing[0]
    title = f"{report_tables.dataset_name(dataset, modality)} in atlas space"
    tiles = []
    for folder in pictures.evenly_chosen(pictures.subject_folders(batches), count=panels.TILES):
        scan = read_volume(folder / "image.nii.gz")
        check_same_grid(scan, template, name=str(folder / "image.nii.gz"))
        brain = read_labels(folder / "brain_mask.nii.gz", expected=[1]).data == 1
        tiles.append(
            panels.make_tile(
                scan.data,
                spacing=scan.spacing,
                masks=edges,
                centre=centre,
                box=box,
                caption=f"{folder.name}  (overlap {100 * overlap(brain, edges[0]):.0f} %)",
            )
        )
    with figures.house_style():
        figure = (
            panels.draw_mosaic(tiles, title=title, colour=pictures.LESION_COLOUR)
            if tiles
            else figures.note_figure(f"{title}: no scan came this far.")
        )
        figures.save_figure(figure, svg=svg, png=png)
    job.log(f"{len(tiles)} scans drawn")


def atlas_edges(data: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The atlas' brain, and the fluid deep in it (the ventricles), each as a mask [X, Y, Z]."""
    smooth = ndimage.gaussian_filter(data.astype(np.float32), 1 / spacing)
    tissue = np.median(data[data > 0])
    brain = ndimage.binary_fill_holes(smooth > 0.25 * tissue)
    depth = ndimage.distance_transform_edt(brain, sampling=spacing)
    fluid = (smooth < 0.7 * tissue) & (depth > RIM_MM)
    labels, _ = ndimage.label(fluid)
    sizes = np.bincount(labels.ravel()) * np.prod(spacing)
    sizes[0] = 0
    return brain, (sizes >= SMALLEST_MM3)[labels]


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Dice of two masks of the same shape; NaN where both are empty."""
    size = np.count_nonzero(first) + np.count_nonzero(second)
    return 2 * np.count_nonzero(first & second) / size if size else float("nan")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            batches=[Path(path) for path in snakemake.input.batches],
            atlas=Path(snakemake.input.atlas),
            svg=Path(snakemake.output.svg),
            png=Path(snakemake.output.png),
            **snakemake.params,
        )
