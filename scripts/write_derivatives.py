"""Write what a method finds in a cohort as BIDS derivatives, in the space of each scan."""

import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.datasets.layouts.bids import MODALITIES
from brainuad.datasets.partitions import TEST, VALIDATION, scans_of
from brainuad.evaluation.candidates import midsagittal_plane
from brainuad.evaluation.healthy_residuals import read_healthy_residuals
from brainuad.evaluation.metrics import SCAN_SCORE
from brainuad.images.computed_volumes import (
    deviation_of_samples,
    mean_of_samples,
    read_anomaly_maps,
    read_reconstructions,
    scans_with,
)
from brainuad.images.geometry import to_ras
from brainuad.images.slices import Scan, read_slices
from brainuad.images.volumes import read_mask
from brainuad.io import job
from brainuad.io.json_files import read_json
from brainuad.io.rows import read_rows, write_rows
from brainuad.preprocessing.raw_scans import Row, rows_by_name
from brainuad.report.derivatives.anomalies import ANOMALIES, SCAN_COLUMNS
from brainuad.report.derivatives.dataset import (
    TEMPLATE,
    raw_uri,
    threshold_facts,
    write_dataset_files,
)
from brainuad.report.derivatives.names import ScanNames, label_of
from brainuad.report.derivatives.scans import Place, ScanWriter, native_place, template_place
from brainuad.scores.postprocess import segment
from brainuad.version import VERSION


def main(
    *,
    slices: Path,
    split: Path,
    subjects: Path,
    anomaly_maps: Path,
    reconstructions: Path | None,
    threshold: Path,
    healthy_residuals: Path,
    brain_masks: list[Path],
    transforms: list[Path],
    template: Path | None,
    output: Path,
    name: str,
    modality: str,
    source: str,
    method: str,
    method_label: str,
    score: str,
    template_source: str,
    postprocessing: dict[str, Any],
) -> None:
    """Fill the directory `output` with one data set: all scans that have an anomaly map.

    brain_masks, transforms  folders of chunks
    template                 None if the scans came registered: they have no other space
    source                   the folder of the raw scans
    score                    a description of the values of an anomaly map
    """
    maps, healthy = read_anomaly_maps(anomaly_maps), read_healthy_residuals(healthy_residuals)
    computed = read_reconstructions(reconstructions) if reconstructions else None
    stack, wanted = read_slices(slices), maps.names.tolist()
    rows = rows_by_name(subjects)
    names, partitions = ScanNames(rows.values()), partitions_of(split)
    fitted = read_json(threshold)
    settings = settings_from(PostprocessingSettings, postprocessing)
    writer = ScanWriter(
        desc=label_of(method),
        score=score,
        suffix=MODALITIES.get(modality, modality),
        threshold=threshold_facts(fitted),
        segment=partial(segment, threshold=fitted["threshold"], settings=settings),
        template=f"bids::{TEMPLATE}" if template else template_source,
    )
    found = []
    with job.replacing(output) as folder:
        folder.mkdir()
        write_dataset_files(
            folder,
            name=name,
            method=method,
            method_label=method_label,
            score=score,
            version=VERSION,
            source=source,
            native=template is not None,
            reconstructs=computed is not None,
            samples=computed is not None and computed.has_samples,
            also_ignored=[] if modality in MODALITIES else [f"*_{modality}.*"],
        )
        place_of = template_place
        if template is not None:
            (folder / TEMPLATE).parent.mkdir()
            shutil.copyfile(template, folder / TEMPLATE)
            place_of = native_places(
                rows,
                modality,
                kept=[*brain_masks, *transforms],
                midsagittal=midsagittal_plane(to_ras(read_mask(template))),
            )
        for (scan, anomaly_map), (_, made) in zip(
            scans_with(stack, maps, wanted),
            scans_with(stack, computed, wanted, all_samples=True),
            strict=True,
        ):
            row = rows[scan.name]
            candidates = writer.write(
                folder / names.folder(row) / names.entities(row),
                scan,
                anomaly_map,
                None if made is None else mean_of_samples(made),
                None if made is None else deviation_of_samples(made),
                place=place_of(scan),
                source=raw_uri(row[modality], source),
            )
            residual = maps.measures_of(scan.name)[SCAN_SCORE]
            found.append(
                [
                    *(scan.name, scan.subject, scan.session),
                    *(names.entities(row), partitions[scan.name]),
                    *(f"{sum(candidates):.6g}", len(candidates), f"{anomaly_map.max():.6g}"),
                    *(f"{residual:.6g}", f"{healthy.percentile_of(residual):.4g}"),
                    len(healthy.mean_residual),
                ]
            )
            job.log(f"{scan.name} done ({len(found)} of {len(wanted)})")
        write_rows(SCAN_COLUMNS, found, folder / ANOMALIES)
        people = {names.participant(rows[scan]): rows[scan]["subject"] for scan, *_ in found}
        write_rows(["participant_id", "subject"], people.items(), folder / "participants.tsv")


def partitions_of(split: Path) -> dict[str, str]:
    """The partition of each scan that was not used for training; of a leak, the test partition."""
    rows = read_rows(split)
    return {scan: part for part in (VALIDATION, TEST) for scan in scans_of(rows, part)}


def native_places(
    rows: Mapping[str, Row], modality: str, *, kept: list[Path], midsagittal: float
) -> Callable[[Scan], Place]:
    """A function from a scan to its own grid.

    `kept` are the folders of chunks with the brain masks and transforms that the stages kept.
    """
    files = {(file.parent.name, file.name): file for chunk in kept for file in chunk.glob("*/*")}

    def place_of(scan: Scan) -> Place:
        return native_place(
            Path(rows[scan.name][modality]),
            brain_mask=files[scan.name, "brain_mask.nii.gz"],
            transform=files[scan.name, "to_template.mat"],
            midsagittal=midsagittal,
        )

    return place_of


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            subjects=Path(snakemake.input.subjects),
            anomaly_maps=Path(snakemake.input.anomaly_maps),
            reconstructions=Path(given) if (given := snakemake.input.reconstructions) else None,
            threshold=Path(snakemake.input.threshold),
            healthy_residuals=Path(snakemake.input.healthy_residuals),
            brain_masks=[Path(chunk) for chunk in snakemake.input.brain_masks],
            transforms=[Path(chunk) for chunk in snakemake.input.transforms],
            template=Path(given) if (given := snakemake.input.template) else None,
            output=Path(snakemake.output.derivatives),
            name=snakemake.params.name,
            modality=snakemake.params.modality,
            source=snakemake.params.source,
            method=snakemake.params.method,
            method_label=snakemake.params.method_label,
            score=snakemake.params.score,
            template_source=snakemake.params.template_source,
            postprocessing=snakemake.params.postprocessing,
        )
