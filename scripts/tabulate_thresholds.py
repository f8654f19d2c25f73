"""What the fitted thresholds rest on, beside the threshold that healthy voxels give."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.io import job
from brainuad.report.tables import threshold_basis as threshold_basis_tables
from brainuad.report.tables.files import write_tables

KEYS = ["method", "fold", "modality"]
FITTED = ["dataset", "threshold", "validation_dice", "patients", "lesion_voxels"]
HEALTHY = ["healthy", "healthy_threshold", "healthy_subjects", "healthy_voxels"]
COLUMNS = [*KEYS, *FITTED, *HEALTHY, "share_above"]


def main(
    *,
    fitted: list[Path],
    healthy: list[Path],
    fitted_grid: dict[str, list],
    healthy_grid: dict[str, list],
    tsv: Path,
    html: Path,
    tex: Path,
) -> None:
    """Write a row per fitted threshold and healthy set of its modality.

    The grids hold methods, folds, datasets and modalities, parallel to their files: those of
    fit_threshold, and those of score_false_positives.
    """
    columns = [*KEYS, *FITTED]
    lesions = pd.DataFrame(
        [place | _named(content, FITTED) for place, content in _read(fitted, fitted_grid)],
        columns=columns,
    )
    rows = []
    for place, content in _read(healthy, healthy_grid):
        name = place.pop("dataset")
        for dataset, share in content["share_above"].items():
            values = (name, content["threshold"], content["subjects"], content["brain_voxels"])
            others = dict(zip(HEALTHY, values, strict=True))
            rows.append(place | {"dataset": dataset} | others | {"share_above": share})
    beside = pd.DataFrame(rows, columns=[*KEYS, "dataset", *HEALTHY, "share_above"])
    table = lesions.merge(beside, on=[*KEYS, "dataset"], how="left")[COLUMNS]
    write_tables(
        table,
        title="What the thresholds rest on",
        body=threshold_basis_tables.basis_html(table),
        latex=threshold_basis_tables.basis_latex(table),
        tsv=tsv,
        html=html,
        tex=tex,
    )
    for line in threshold_basis_tables.warnings(table):
        job.log(line)
    job.log(f"{len(fitted)} fitted thresholds, {len(healthy)} of healthy voxels")


def _read(
    files: Sequence[Path], grid: dict[str, list]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Of each file the place in its grid, and what it holds."""
    places = zip(grid["methods"], grid["folds"], grid["datasets"], grid["modalities"], strict=True)
    names = ("method", "fold", "dataset", "modality")
    return [
        (dict(zip(names, place, strict=True)), json.loads(file.read_text(encoding="utf-8")))
        for place, file in zip(places, files, strict=True)
    ]


def _named(content: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: content[name] for name in names if name in content}


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            fitted=[Path(path) for path in snakemake.input.fitted],
            healthy=[Path(path) for path in snakemake.input.healthy],
            tsv=Path(snakemake.output.tsv),
            html=Path(snakemake.output.html),
            tex=Path(snakemake.output.tex),
            **snakemake.params,
        )
