"""A page with a viewer for each scan of a cohort, and their index, from its derivatives."""

import shutil
from pathlib import Path

from brainuad.images.geometry import values_at
from brainuad.images.volumes import (
    Volume,
    check_same_grid,
    read_labels,
    read_mask,
    read_volume,
)
from brainuad.io import job
from brainuad.preprocessing.raw_scans import rows_by_name
from brainuad.report.pages.pages import write_text
from brainuad.report.scans import index, page
from brainuad.report.scans.pictures import draw_slice
from brainuad.report.scans.results import ScanResult, read_results
from brainuad.report.scans.scan_quality import quality_of_cohort
from brainuad.report.scans.small_volumes import small_volumes


def main(
    *,
    derivatives: Path,
    subjects: Path,
    quality: Path,
    measures: Path,
    left_out: Path,
    output: Path,
    cohort: str,
    cohort_label: str,
    method_label: str,
    modality: str,
) -> None:
    """Fill the directory `output` with {name}.html of each scan, index.html and what they need.

    subjects  the table whose column `modality` holds the file that each scan came in
    quality   the folder of the cohort's quality page, to which the pages link
    measures  the table of that page
    left_out  the table of the scans that the preprocessing left out

    The output can be copied elsewhere by itself: the pages need no other folder, except for links.
    """
    rows = rows_by_name(subjects)
    results = read_results(derivatives)
    known = quality_of_cohort(measures, subjects, left_out, modality=modality)
    with job.replacing(output) as folder:
        (folder / "pictures").mkdir(parents=True)
        (folder / page.QUALITY_VIEWS).mkdir()
        for name, file in page.BESIDE.items():
            shutil.copyfile(file, folder / name)
        write_text(page.style(), folder / "style.css")
        known.write(folder)
        for done, result in enumerate(results, start=1):
            scan, anomaly_map, brain = read_scan(result, Path(rows[result.scan][modality]))
            deviation = read_mask(result.deviation) if result.deviation else None
            shown = small_volumes(scan, brain.data > 0, anomaly_map, deviation)
            text = page.render(
                result,
                anomaly_map=anomaly_map,
                shown=shown,
                cohort=cohort_label,
                method=method_label,
                files=f"{result.anomaly_map.parent.as_posix()}/",
                quality_page=f"../../quality/{cohort}/",
                stands_out=known.flagged.get(result.scan),
                quality_views=copy_quality_views(result, quality, folder),
            )
            write_text(text, folder / f"{result.name}.html")
            draw_slice(shown, threshold=result.threshold, centre=result.largest_place).save(
                folder / "pictures" / f"{result.name}.jpg", quality=85
            )
            job.log(f"{result.scan} shown, {len(text) / 1e6:.1f} MB ({done} of {len(results)})")
        text = index.render(
            {cohort_label: results},
            folders={cohort_label: ""},
            qualities={cohort_label: known},
            title=f"Scans of {cohort_label}",
        )
        write_text(text, folder / "index.html")


def read_scan(result: ScanResult, file: Path) -> tuple[Volume, Volume, Volume]:
    """A scan, its anomaly map and its brain mask, all on the grid of the map."""
    anomaly_map = read_mask(result.anomaly_map)
    brain = read_labels(result.brain_mask, expected=[1], grid=anomaly_map)
    scan = read_volume(file)
    if result.in_template_space:
        # The map has the grid that was scored.
        on_grid = values_at(scan, anomaly_map.affine, anomaly_map.data.shape, labels=False)
        scan = Volume(on_grid, anomaly_map.affine)
    check_same_grid(anomaly_map, scan, name=str(result.anomaly_map))
    return scan, anomaly_map, brain


def copy_quality_views(result: ScanResult, quality: Path, folder: Path) -> bool:
    """Copy a scan's picture from the quality page to its own page; False if it has none."""
    picture = quality / "pictures" / f"{result.scan}.png"
    if not picture.is_file():
        return False
    shutil.copyfile(picture, folder / page.QUALITY_VIEWS / f"{result.name}.png")
    return True


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            derivatives=Path(snakemake.input.derivatives),
            subjects=Path(snakemake.input.subjects),
            quality=Path(snakemake.input.quality),
            measures=Path(snakemake.input.measures),
            left_out=Path(snakemake.input.left_out),
            output=Path(snakemake.output.pages),
            cohort=snakemake.wildcards.cohort,
            cohort_label=snakemake.params.cohort_label,
            method_label=snakemake.params.method_label,
            modality=snakemake.params.modality,
        )
