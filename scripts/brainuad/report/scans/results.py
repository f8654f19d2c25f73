"""What stands about each scan in a data set of derivatives (`report.derivatives`)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from brainuad.io.rows import read_rows
from brainuad.report.derivatives.anomalies import ANOMALIES


@dataclass(frozen=True)
class ScanResult:
    """The results of one scan.

    scan           its name among the scans of the workflow
    name           what its files begin with: sub-01_ses-2
    volume_ml      of all candidates
    percentile     of the mean residual among healthy scans; NaN if there are none
    healthy_scans  the number of these
    threshold      above which a voxel may be part of a candidate
    origin         where the threshold comes from, in words
    candidates     rows of the table of candidates, every cell a text
    deviation      the map of the standard deviation of the reconstructions; None if it has none
    """

    scan: str
    subject: str
    session: str
    name: str
    partition: str
    volume_ml: float
    maximum: float
    mean_residual: float
    percentile: float
    healthy_scans: int
    threshold: float
    origin: str
    candidates: list[dict[str, str]]
    brain_mask: Path
    anomaly_map: Path
    deviation: Path | None

    @property
    def in_template_space(self) -> bool:
        """Whether the results lie on the grid that was scored, since the scan came registered."""
        return f"{self.name}_space-template_" in self.anomaly_map.name

    @property
    def largest_place(self) -> tuple[float, ...] | None:
        """The place of the largest candidate, RAS mm; None without any."""
        if not self.candidates:
            return None
        return tuple(float(self.candidates[0][axis]) for axis in "xyz")


def read_results(folder: Path) -> list[ScanResult]:
    """All scans of a data set of derivatives, the most anomalous first."""
    rows = read_rows(folder / ANOMALIES)
    return sorted((_read(folder, row) for row in rows), key=by_anomaly)


def by_anomaly(result: ScanResult) -> tuple[float, float, float, str]:
    """A key that sorts by percentile, mean residual and volume, the highest first, NaN last."""
    values = (result.percentile, result.mean_residual, result.volume_ml)
    return (*(-value if value == value else float("inf") for value in values), result.scan)


def _read(folder: Path, row: Mapping[str, str]) -> ScanResult:
    subject, _, session = row["name"].partition("_")
    stem = folder / subject / session / "anat" / row["name"]

    def file(ending: str) -> Path:
        (found,) = stem.parent.glob(f"{stem.name}_space-*_{ending}")
        return found

    deviations = list(stem.parent.glob(f"{stem.name}_space-*_stdmap.nii.gz"))
    threshold = json.loads(file("label-L_desc-*_mask.json").read_text(encoding="utf-8"))[
        "Threshold"
    ]
    return ScanResult(
        scan=row["scan"],
        subject=row["subject"],
        session=row["session"],
        name=row["name"],
        partition=row["partition"],
        **{
            column: float(row[column] or "nan")
            for column in ("volume_ml", "maximum", "mean_residual", "percentile")
        },
        healthy_scans=int(row["healthy_scans"]),
        threshold=threshold["Value"],
        origin=threshold["Origin"],
        candidates=read_rows(file("desc-*_dseg.tsv")),
        brain_mask=file("desc-brain_mask.nii.gz"),
        anomaly_map=file("desc-*_anomalymap.nii.gz"),
        deviation=deviations[0] if deviations else None,
    )
