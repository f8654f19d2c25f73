"""Measure and picture how well each scan of a chunk was stripped and registered."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy import ndimage

from brainuad.evaluation.metrics import volume_ml
from brainuad.images.geometry import crop, to_ras
from brainuad.images.mask_labels import IGNORED, LESION
from brainuad.images.volumes import Volume, check_same_grid, read_labels, read_volume
from brainuad.io import job
from brainuad.io.errors import ScanError
from brainuad.io.rows import write_rows
from brainuad.preprocessing import quality
from brainuad.preprocessing.chunks import (
    LeftOut,
    read_left_out,
    scans_in,
    write_left_out,
)
from brainuad.preprocessing.raw_scans import rows_of_chunk
from brainuad.preprocessing.resampling import Resampling, resampling_of
from brainuad.report.figures import pictures
from brainuad.report.quality.thumbnails import (
    BESIDE_MIDLINE_MM,
    TEMPLATE_COLOUR,
    Outline,
    Row,
    draw_rows,
    sparse_window,
)

MARGIN_MM = 6.0
# A fraction of the bright end of a scan; darker voxels lie outside the head.
BRIGHTEST_AIR = 0.1


def main(
    *,
    table: Path | None,
    resampling: Resampling | None,
    brain_masks: Path | None,
    corrected: Path,
    template: Path | None,
    output: Path,
) -> None:
    """Write measures.tsv, {scan}.png and left_out.tsv into the folder `output`.

    The scans are those of `corrected`, the last stage. A scan that cannot be measured is listed in
    left_out.tsv (stage `inspected`), but the run uses it. Scans that come preprocessed have no
    earlier stages (None): they are not compared with the template, and are shown in one row. All
    others are resampled again, so that the resampled images need not be kept.
    """
    space = TemplateSpace(to_ras(read_volume(template))) if template else None
    scans = scans_in(corrected)
    raw = rows_of_chunk(table, scans, modality=resampling.modality) if resampling else {}
    names = [measure.name for measure in quality.MEASURES]
    rows, left_out = [], read_left_out(corrected)
    with job.replacing(output) as folder:
        folder.mkdir()
        for number, scan in enumerate(scans, start=1):
            folder_of_mask = (brain_masks or corrected) / scan
            try:
                if resampling:
                    image, lesions = resampling.scan(raw[scan])
                else:
                    image, lesions = scan_as_it_came(corrected / scan)
                measures, shown = inspect_brain_mask(
                    image, lesions, folder_of_mask, is_whole=resampling is not None
                )
                more, others = inspect_corrected(corrected / scan, space)
            except ScanError as error:
                left_out.append(LeftOut(scan, quality.INSPECTED, str(error)))
                job.log(f"{scan} cannot be shown: {error}")
                continue
            draw_rows([shown, *others]).save(folder / f"{scan}.png")
            found = measures | more
            rows.append([scan, *(found.get(name, float("nan")) for name in names)])
            job.log(f"{scan} inspected ({number} of {len(scans)})")
        write_rows(["scan", *names], rows, folder / "measures.tsv")
        write_left_out(left_out, folder)


def scan_as_it_came(folder: Path) -> tuple[Volume, Volume]:
    """Read a scan that came preprocessed, and its lesions."""
    scan = read_volume(folder / "image.nii.gz")
    return scan, read_labels(folder / "lesions.nii.gz", expected=[LESION, IGNORED], grid=scan)


def inspect_brain_mask(
    scan: Volume, lesions: Volume, folder: Path, *, is_whole: bool
) -> tuple[dict[str, float], Row]:
    """Measures of the brain mask; views with the outlines of brain and lesion.

    is_whole  the scan has its whole field of view, and was not cropped to its brain

    The axial view is the slice with the most lesion; the other views go through the brain's centre.
    """
    mask = read_labels(folder / "brain_mask.nii.gz", expected=[1], grid=scan)
    brain, lesion = mask.data == 1, lesions.data == LESION
    centre = np.array(ndimage.center_of_mass(brain)) if brain.any() else np.array(brain.shape) / 2
    if lesion.any():
        centre[2] = lesion.sum(axis=(0, 1)).argmax()
    measures = {
        "brain_ml": volume_ml(brain, scan.voxel_ml),
        "lesion_outside": quality.lesion_outside(lesions.data, brain),
    }
    if is_whole:
        measures["cut_cm2"] = quality.cut_cm2(brain, scan.spacing)
    outlines = (Outline(brain, pictures.MASK_COLOUR), Outline(lesion, pictures.LESION_COLOUR))
    head = (scan.data > BRIGHTEST_AIR * sparse_window(scan.data)[1]) | brain | lesion
    return measures, Row(scan.data, scan.spacing, centre, box_of(head, scan.spacing), outlines)


@dataclass(frozen=True)
class TemplateSpace:
    """The template, and what is computed once for all scans that are registered to it."""

    template: Volume

    @cached_property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        return quality.template_edges(self.template.data, self.template.spacing)

    @cached_property
    def values(self) -> np.ndarray:
        """The smoothed template's values within its brain [N], with which scans are compared."""
        return quality.smoothed(self.template.data, self.template.spacing)[self.edges[0]]

    def inspect(self, scan: Volume, brain: np.ndarray) -> tuple[dict[str, float], Row]:
        """Similarity of a corrected scan to the template; views with the template's edges."""
        spacing, edges = self.template.spacing, self.edges
        part = self._part_of(scan)
        image, mask = np.zeros_like(self.template.data), np.zeros_like(edges[0])
        image[part], mask[part] = scan.data, brain
        found = quality.smoothed(image, spacing)[edges[0]]
        measures = {
            "mutual_information": quality.mutual_information(self.values, found),
            "overlap": quality.overlap(mask, edges[0]),
        }
        centre = np.array(ndimage.center_of_mass(edges[0]))
        centre[0] += BESIDE_MIDLINE_MM / spacing[0]
        outlines = tuple(Outline(edge, TEMPLATE_COLOUR) for edge in edges)
        return measures, Row(image, spacing, centre, box_of(edges[0], spacing), outlines)

    def _part_of(self, scan: Volume) -> tuple[slice, ...]:
        """The part of the template's grid that a scan covers after it was cropped to its brain."""
        offset = np.rint((np.linalg.inv(self.template.affine) @ scan.affine)[:3, 3]).astype(int)
        part = tuple(
            slice(start, start + length)
            for start, length in zip(offset.tolist(), scan.data.shape, strict=True)
        )
        try:
            check_same_grid(scan, crop(self.template, part), name="")
        except ScanError:
            raise ScanError(
                "the corrected scan lies on another grid than the template; delete the registered "
                "scans of this data set and run again"
            ) from None
        return part


def inspect_corrected(
    folder: Path, space: TemplateSpace | None
) -> tuple[dict[str, float], list[Row]]:
    """Intensities in the brain and, if the scan was registered, its similarity to the template."""
    scan = read_volume(folder / "image.nii.gz")
    brain = read_labels(folder / "brain_mask.nii.gz", expected=[1], grid=scan).data == 1
    measures = {"intensity_range": quality.intensity_range(scan.data[brain])}
    if space is None:
        return measures, []
    more, row = space.inspect(scan, brain)
    return measures | more, [row]


def box_of(mask: np.ndarray, spacing: np.ndarray) -> tuple[slice, ...]:
    """The box of a mask with a margin."""
    return pictures.bounding_box(mask, margin=round(MARGIN_MM / float(spacing.min())))


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        given = snakemake.input
        came_raw = given.get("template") is not None
        main(
            table=Path(given.subjects) if came_raw else None,
            resampling=resampling_of(snakemake.params) if came_raw else None,
            brain_masks=Path(given.brain_masks) if came_raw else None,
            template=Path(given.template) if came_raw else None,
            corrected=Path(given.corrected),
            output=Path(snakemake.output[0]),
        )
